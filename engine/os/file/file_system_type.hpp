// The names of file systems, and whether an allocated block is enough for a store on them.
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
