#include "perf/scratch_file.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

Error failed(const std::string& what, int error) {
  const Errc code = error == ENOSPC || error == EDQUOT  ? Errc::storage_full
                    : error == ENOENT                   ? Errc::not_found
                    : error == EACCES || error == EPERM ? Errc::permission_denied
                                                        : Errc::io_error;
  return {code, what + " failed: " + std::strerror(error) + ". Choose another directory, or a smaller --size",
          error};
}

}  // namespace

Result<ScratchFile> ScratchFile::make(const std::filesystem::path& directory) {
  std::string path = (directory / "seriatim-perf-XXXXXX").string();
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return failed("creating a test file in " + directory.string(), errno);
  if (::unlink(path.c_str()) != 0) {
    const int unlink_errno = errno;
    ::close(fd);
    return failed("removing the name of " + path, unlink_errno);
  }
  return ScratchFile(fd);
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ScratchFile::~ScratchFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> ScratchFile::write_at(std::uint64_t position, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("pwrite", errno);
    position += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> ScratchFile::allocate(std::uint64_t size) {
  if (::fallocate(fd_, 0, 0, static_cast<off_t>(size)) == 0) return {};
  return failed("fallocate", errno);
}

Result<> ScratchFile::sync_data() {
  if (::fdatasync(fd_) == 0) return {};
  return failed("fdatasync", errno);
}

Result<> ScratchFile::read_all(std::uint64_t size, std::span<std::byte> buffer, bool cold) {
  if (cold) {
    // Only clean pages can be dropped.
    const Result<> synced = sync_data();
    if (!synced.ok()) return synced;
    if (const int error = ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); error != 0)
      return failed("posix_fadvise", error);
  }
  for (std::uint64_t position = 0; position < size;) {
    const ssize_t got = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(position));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("pread", got < 0 ? errno : EIO);
    position += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<> ScratchFile::store_all(std::uint64_t size, std::span<const std::byte> bytes) {
  void* const map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (map == MAP_FAILED) return failed("mmap", errno);
  for (std::uint64_t position = 0; position + bytes.size() <= size; position += bytes.size()) {
    std::memcpy(static_cast<std::byte*>(map) + position, bytes.data(), bytes.size());
  }
  if (::munmap(map, size) != 0) return failed("munmap", errno);
  return {};
}

}  // namespace seriatim::cli
