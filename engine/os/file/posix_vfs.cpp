#include "os/file/posix_vfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/boundary.hpp"
#include "os/descriptor.hpp"
#include "os/errno_error.hpp"
#include "os/file/file_system_type.hpp"
#include "os/file/posix_file.hpp"
#include "os/retry.hpp"

namespace seriatim::os {
namespace {

int open_flags(OpenMode mode) noexcept {
  // O_NONBLOCK so that opening a FIFO does not wait for its other end; regular files ignore it.
  constexpr int always = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  switch (mode) {
    case OpenMode::read:
      return always | O_RDONLY;
    case OpenMode::read_write:
      return always | O_RDWR;
    case OpenMode::create_new:
      return always | O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::open_or_create:
      return always | O_RDWR | O_CREAT;
  }
  return always;
}

std::string_view kind_text(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a FIFO";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
      return "a character device";
    case S_IFBLK:
      return "a block device";
    case S_IFREG:
      return "a regular file";
    default:
      return "not a regular file";
  }
}

Error not_regular_error(const std::string& path, mode_t mode, int errno_value) {
  return {Errc::io_error,
          "cannot open " + path + ": it is " + std::string(kind_text(mode)) +
              ", and only a regular file is expected there. Move it away, or give another directory.",
          errno_value};
}

// These errnos say that the last component is something else than a file; say what it is.
Error open_error(const std::string& path, int errno_value) {
  struct stat status {};
  const bool may_be_special = errno_value == ELOOP || errno_value == EISDIR || errno_value == ENXIO;
  if (may_be_special && ::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return not_regular_error(path, status.st_mode, errno_value);
  }
  return errno_error(errno_value, "open", path);
}

EntryKind kind_of(mode_t mode) noexcept {
  if (S_ISREG(mode)) return EntryKind::file;
  if (S_ISDIR(mode)) return EntryKind::directory;
  return S_ISLNK(mode) ? EntryKind::symlink : EntryKind::other;
}

// A link in the place of a directory is refused like one in the place of a file: it could lead out of the
// data directory. A path that ends in a slash is followed all the same, which is for the caller's own choice.
DIR* open_directory(const std::string& path) noexcept {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  const int descriptor = open_descriptor([&] { return ::open(path.c_str(), flags); });
  if (descriptor < 0) return nullptr;
  DIR* stream = ::fdopendir(descriptor);
  if (stream != nullptr) return stream;
  const int saved = errno;
  ::close(descriptor);
  errno = saved;
  return nullptr;
}

Error list_error(const std::string& path, int errno_value) {
  struct stat status {};
  const bool may_be_special = errno_value == ELOOP || errno_value == ENOTDIR;
  const bool is_followed = path.size() > 1 && path.back() == '/';
  const std::string bare = is_followed ? path.substr(0, path.size() - 1) : path;
  const int asked =
      may_be_special ? ::fstatat(AT_FDCWD, bare.c_str(), &status, is_followed ? 0 : AT_SYMLINK_NOFOLLOW) : -1;
  if (asked == 0 && !S_ISDIR(status.st_mode)) {
    return {Errc::io_error,
            "cannot list the directory " + bare + ": it is " + std::string(kind_text(status.st_mode)) +
                ", and only a directory is expected there. Move it away, and put the directory itself in its "
                "place.",
            errno_value};
  }
  return errno_error(errno_value, "list the directory", path);
}

class Directory {
 public:
  explicit Directory(const std::string& path) noexcept : stream_(open_directory(path)) {}
  ~Directory() {
    if (stream_ != nullptr) ::closedir(stream_);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  bool is_open() const noexcept { return stream_ != nullptr; }
  // The next entry; null at the end (errno 0) and on error.
  const dirent* next() noexcept {
    errno = 0;
    return ::readdir(stream_);
  }
  int descriptor() const noexcept { return ::dirfd(stream_); }

 private:
  DIR* stream_;
};

// The kind of an entry. File systems may leave d_type empty; then the entry is asked itself.
Result<EntryKind> entry_kind(const Directory& directory, const dirent& entry, const std::string& path) {
  if (entry.d_type != DT_UNKNOWN) return kind_of(static_cast<mode_t>(DTTOIF(entry.d_type)));
  struct stat status {};
  if (::fstatat(directory.descriptor(), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    const int saved = errno;
    return errno_error(saved, "read the kind of " + std::string(entry.d_name) + " in", path);
  }
  return kind_of(status.st_mode);
}

class PosixVfs final : public Vfs {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> create_directory(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<FileSystem> file_system(const std::string& path) override;
};

Result<std::unique_ptr<File>> PosixVfs::open(const std::string& path, OpenMode mode) {
  constexpr mode_t new_file_mode = 0640;
  const int descriptor =
      open_descriptor([&] { return ::open(path.c_str(), open_flags(mode), new_file_mode); });
  if (descriptor < 0) {
    const int saved = errno;
    return open_error(path, saved);
  }
  base::Undoing close_it([descriptor] { ::close(descriptor); });
  auto file = std::make_unique<PosixFile>(descriptor, path);
  close_it.keep();
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    const int saved = errno;
    return errno_error(saved, "read the kind of", path);
  }
  if (!S_ISREG(status.st_mode)) return not_regular_error(path, status.st_mode, 0);
  return std::unique_ptr<File>(std::move(file));
}

Result<void> PosixVfs::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  const int saved = errno;
  return errno_error(saved, "rename " + from + " to", to);
}

Result<void> PosixVfs::remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return {};
  const int saved = errno;
  return errno_error(saved, "delete the file", path);
}

Result<void> PosixVfs::create_directory(const std::string& path) {
  constexpr mode_t new_directory_mode = 0750;
  if (::mkdir(path.c_str(), new_directory_mode) == 0) return {};
  const int saved = errno;
  return errno_error(saved, "create the directory", path);
}

Result<void> PosixVfs::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) == 0) return {};
  const int saved = errno;
  return errno_error(saved, "delete the directory", path);
}

Result<std::vector<DirEntry>> PosixVfs::list(const std::string& path) {
  Directory directory(path);
  if (!directory.is_open()) {
    const int saved = errno;
    return list_error(path, saved);
  }
  std::vector<DirEntry> entries;
  while (const dirent* entry = directory.next()) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    auto kind = entry_kind(directory, *entry, path);
    if (!kind && kind.error().code() == Errc::not_found) continue;  // deleted since it was listed
    if (!kind) return std::move(kind).error();
    entries.push_back({std::string(name), *kind});
  }
  if (errno != 0) {
    const int saved = errno;
    return errno_error(saved, "list the directory", path);
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  return entries;
}

Result<void> PosixVfs::sync_directory(const std::string& path) {
  const int descriptor =
      open_descriptor([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) {
    const int saved = errno;
    return errno_error(saved, "open the directory", path);
  }
  const int result = retry_interrupted([&] { return ::fsync(descriptor); });
  const int saved = errno;
  ::close(descriptor);
  if (result == 0) return {};
  // Not a failure of the disk: this file system cannot do it at all.
  if (saved == EINVAL || saved == EOPNOTSUPP) return errno_error(saved, "sync the directory", path);
  return sync_error(saved, path);
}

Result<bool> PosixVfs::exists(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  const int saved = errno;
  if (saved == ENOENT || saved == ENOTDIR) return false;
  return errno_error(saved, "look up", path);
}

Result<FileSystem> PosixVfs::file_system(const std::string& path) {
  struct statfs status {};
  if (retry_interrupted([&] { return ::statfs(path.c_str(), &status); }) != 0) {
    const int saved = errno;
    return errno_error(saved, "read the free space of", path);
  }
  const auto block_bytes =
      static_cast<std::uint64_t>(status.f_frsize != 0 ? status.f_frsize : status.f_bsize);
  // f_type is signed on some machines; the numbers are 32 bits wide.
  FileSystemType type = file_system_type(static_cast<std::uint32_t>(status.f_type));
  FileSystem result;
  result.free_bytes = status.f_bavail * block_bytes;
  result.total_bytes = status.f_blocks * block_bytes;
  result.type_name = std::move(type.name);
  result.is_read_only = (static_cast<unsigned long>(status.f_flags) & ST_RDONLY) != 0;
  result.keeps_allocated_blocks = type.keeps_allocated_blocks;
  return result;
}

}  // namespace

Vfs& posix_vfs() noexcept {
  static PosixVfs vfs;
  return vfs;
}

}  // namespace seriatim::os
