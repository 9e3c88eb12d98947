// The common part of the benchmarks: a scratch directory on the file system under test, a bare mapped file to
// compare with, payloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <seriatim/seriatim.hpp>

namespace seriatim::bench {

/// A new directory below $SERIATIM_BENCH_DIR (default: the working directory), removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// A file of `bytes` bytes, allocated, mapped and populated: what the fastest possible append writes into.
class BareMappedFile {
 public:
  BareMappedFile(const std::filesystem::path& path, std::size_t bytes);
  ~BareMappedFile();
  BareMappedFile(const BareMappedFile&) = delete;
  BareMappedFile& operator=(const BareMappedFile&) = delete;
  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  int fd_ = -1;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A file of `bytes` bytes that grows as a log does: mapped as a whole, allocated in chunks and populated in
/// steps ahead of the writer. The cost of an append to a new file without a log.
class GrowingMappedFile {
 public:
  GrowingMappedFile(const std::filesystem::path& path, std::size_t bytes);
  ~GrowingMappedFile();
  GrowingMappedFile(const GrowingMappedFile&) = delete;
  GrowingMappedFile& operator=(const GrowingMappedFile&) = delete;
  /// `bytes` bytes at the end that may be written.
  std::byte* extend(std::size_t bytes) {
    std::byte* const at = data_ + end_;
    end_ += bytes;
    if (end_ > populated_) grow();
    return at;
  }

 private:
  void grow();

  int fd_ = -1;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t end_ = 0;
  std::size_t allocated_ = 0;
  std::size_t populated_ = 0;
};

/// Opens an engine in `directory` with one topic, "bench", of `partitions` partitions. Ends the program with
/// a message on an error.
Engine open_engine(const std::filesystem::path& directory, PartitionId partitions = 1, ConfigMap config = {});

/// `size` bytes that do not compress to nothing.
std::string payload(std::size_t size);

/// Touches `bytes` of page cache once: memory that the host has to give back first would decide every
/// comparison (limits: 10-17 us per 4 KiB on first touch against 0.7 us warm).
void prewarm_page_cache(const std::filesystem::path& directory, std::size_t bytes);

/// The value, or the end of the program with the error's message.
template <class T>
T must(Result<T> result) {
  if constexpr (std::is_void_v<T>) {
    result.value();
  } else {
    return std::move(result).value();
  }
}

}  // namespace seriatim::bench
