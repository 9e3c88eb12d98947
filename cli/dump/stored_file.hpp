// A file of a data directory, read with pread: a live writer may truncate it at any moment, which a mapping
// would answer with SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include <seriatim/result.hpp>

namespace seriatim::cli {

/// Threads: any number may read.
class StoredFile {
 public:
  /// Errors: not_found, permission_denied, io_error.
  static Result<StoredFile> open(const std::filesystem::path& path);
  StoredFile(StoredFile&& other) noexcept;
  StoredFile& operator=(StoredFile&& other) noexcept;
  ~StoredFile();

  /// Size when it was opened.
  std::uint64_t size() const noexcept { return size_; }
  /// Reads up to `count` bytes at `position` into `into`, which is resized to what there was.
  /// Errors: io_error.
  Result<> read(std::uint64_t position, std::size_t count, std::vector<std::byte>& into) const;

 private:
  StoredFile(int fd, std::uint64_t size, std::filesystem::path path)
      : fd_(fd), size_(size), path_(std::move(path)) {}

  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::filesystem::path path_{};
};

}  // namespace seriatim::cli
