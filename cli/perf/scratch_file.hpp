// A file without a name for measurements: gone with its descriptor, also after kill -9.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include <seriatim/result.hpp>

namespace seriatim::cli {

/// Threads: one at a time.
class ScratchFile {
 public:
  /// Errors: not_found, permission_denied, io_error.
  static Result<ScratchFile> make(const std::filesystem::path& directory);
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&&) = delete;
  ~ScratchFile();

  Result<> write_at(std::uint64_t position, std::span<const std::byte> bytes);
  /// Errors: storage_full; io_error, also where the file system cannot reserve blocks.
  Result<> allocate(std::uint64_t size);
  Result<> sync_data();
  /// Reads `size` bytes in pieces of `buffer`; `cold` drops them from the page cache first.
  Result<> read_all(std::uint64_t size, std::span<std::byte> buffer, bool cold);
  /// Stores `bytes` over and over through a map of the first `size` bytes, which must be allocated.
  Result<> store_all(std::uint64_t size, std::span<const std::byte> bytes);

 private:
  explicit ScratchFile(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace seriatim::cli
