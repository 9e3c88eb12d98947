// The space that a directory takes on the disk, by walking the directory: no lock, no engine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

namespace seriatim::cli {

struct FileUsage {
  std::string path{};  ///< Relative to the directory walked.
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;  ///< Blocks held: more than `size` while an active segment is extended ahead.
};

/// All regular files below `directory`, sorted by path. A file that goes while it is looked at is left out.
/// Errors: not_found, io_error.
/// Threads: any.
Result<std::vector<FileUsage>> files_below(const std::filesystem::path& directory);

/// The file system's name and free bytes, as "ext4" and what an unprivileged user may still write.
struct FileSystemRoom {
  std::string type{};
  std::uint64_t free_bytes = 0;
};
/// Errors: io_error.
Result<FileSystemRoom> room_of(const std::filesystem::path& directory);

}  // namespace seriatim::cli
