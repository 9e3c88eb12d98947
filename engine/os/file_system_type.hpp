// What file systems are called, and what an allocated block is worth on them.
#pragma once

#include <cstdint>
#include <string>

namespace seriatim::os {

struct FileSystemType {
  std::string name{};
  bool keeps_allocated_blocks = false;  ///< See `FileSystem`.
};

/// The file system with this `f_type` of statfs(2).
FileSystemType file_system_type(std::uint64_t magic);

}  // namespace seriatim::os
