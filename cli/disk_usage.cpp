#include "disk_usage.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

namespace seriatim::cli {
namespace {

// stat(2) counts blocks of this size whatever the file system's own is.
constexpr std::uint64_t stat_block_bytes = 512;

// The magic numbers of statfs(2) that people run databases on.
constexpr std::array<std::pair<std::uint64_t, const char*>, 8> file_systems{{{0xEF53, "ext4"},
                                                                             {0x58465342, "xfs"},
                                                                             {0x9123683E, "btrfs"},
                                                                             {0x01021994, "tmpfs"},
                                                                             {0x794c7630, "overlayfs"},
                                                                             {0x2FC12FC1, "zfs"},
                                                                             {0xF2F52010, "f2fs"},
                                                                             {0x6969, "nfs"}}};

Error failed(const std::filesystem::path& path, int error) {
  return {error == ENOENT ? Errc::not_found : Errc::io_error,
          "cannot look at " + path.string() + ": " + std::strerror(error), error};
}

}  // namespace

Result<std::vector<FileUsage>> files_below(const std::filesystem::path& directory) {
  std::error_code failure;
  std::vector<FileUsage> files;
  std::filesystem::recursive_directory_iterator entries(directory, failure);
  if (failure) return failed(directory, failure.value());
  for (; entries != std::filesystem::recursive_directory_iterator(); entries.increment(failure)) {
    struct stat status {};
    if (::lstat(entries->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    files.push_back({entries->path().lexically_relative(directory).string(),
                     static_cast<std::uint64_t>(status.st_size),
                     static_cast<std::uint64_t>(status.st_blocks) * stat_block_bytes});
  }
  if (failure && failure.value() != ENOENT) return failed(directory, failure.value());
  std::sort(files.begin(), files.end(),
            [](const FileUsage& a, const FileUsage& b) { return a.path < b.path; });
  return files;
}

Result<FileSystemRoom> room_of(const std::filesystem::path& directory) {
  struct statfs type {};
  struct statvfs room {};
  if (::statfs(directory.c_str(), &type) != 0 || ::statvfs(directory.c_str(), &room) != 0)
    return failed(directory, errno);
  FileSystemRoom result{.type = "unknown",
                        .free_bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize};
  for (const auto& [magic, name] : file_systems) {
    if (static_cast<std::uint64_t>(type.f_type) == magic) result.type = name;
  }
  return result;
}

}  // namespace seriatim::cli
