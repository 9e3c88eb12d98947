#include "dump/stored_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

Error failed(const char* what, const std::filesystem::path& path, int error) {
  const Errc code = error == ENOENT   ? Errc::not_found
                    : error == EACCES ? Errc::permission_denied
                                      : Errc::io_error;
  return {code,
          std::string(what) + " " + path.string() + " failed: " + std::strerror(error) +
              ". Check the path and who may read it",
          error};
}

}  // namespace

Result<StoredFile> StoredFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("opening", path, errno);
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    const int stat_errno = errno;
    ::close(fd);
    return failed("looking at", path, stat_errno);
  }
  return StoredFile(fd, static_cast<std::uint64_t>(status.st_size), path);
}

StoredFile::StoredFile(StoredFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), path_(std::move(other.path_)) {}

StoredFile& StoredFile::operator=(StoredFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

StoredFile::~StoredFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> StoredFile::read(std::uint64_t position, std::size_t count, std::vector<std::byte>& into) const {
  into.resize(count);
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::pread(fd_, into.data() + have, count - have, static_cast<off_t>(position + have));
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("reading", path_, errno);
    have += static_cast<std::size_t>(got);
  }
  into.resize(have);
  return {};
}

}  // namespace seriatim::cli
