// The files of topics that the catalog calls deleted.
#pragma once

#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "os/file/fd_cache.hpp"
#include "os/vfs.hpp"

namespace seriatim::directory {

struct DeletedTopicFiles {
  os::Vfs& vfs;
  os::FdCache& files;
  const std::string& log_directory;

  /// Removes the partition directories of a topic, and what is left of earlier deletions. Can be repeated.
  /// Durability: durable on return.
  /// Errors: as the file system.
  Result<> remove(const std::string& name, PartitionId partition_count) const;
};

}  // namespace seriatim::directory
