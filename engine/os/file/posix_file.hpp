// A regular file behind a descriptor.
#pragma once

#include <string>

#include "os/vfs.hpp"

namespace seriatim::os {

/// See `File`; made by posix_vfs() after it has checked that the descriptor is a regular file.
class PosixFile final : public File {
 public:
  /// Owns `descriptor`.
  PosixFile(int descriptor, std::string path) noexcept;
  ~PosixFile() override;

  Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t position) override;
  Result<void> write_at(base::ByteSpan from, std::uint64_t position) override;
  Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t position) override;
  Result<void> allocate(std::uint64_t position, std::uint64_t length) override;
  Result<void> truncate(std::uint64_t size) override;
  Result<void> sync_data() override;
  void begin_write_back(std::uint64_t position, std::uint64_t length) noexcept override;
  Result<void> sync_all() override;
  Result<std::uint64_t> size() override;
  Result<Mapping> map(std::uint64_t length, Access access) override;
  Result<void> drop_cache(std::uint64_t position, std::uint64_t length) override;
  int descriptor() const noexcept override { return descriptor_; }
  const std::string& path() const noexcept override { return path_; }
  Result<FileId> id() override;
  Result<std::int64_t> modified_ms() override;
  Result<void> set_modified_ms(std::int64_t ms) override;

 private:
  const int descriptor_;
  const std::string path_;
};

}  // namespace seriatim::os
