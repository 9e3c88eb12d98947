#include "directory/topics/deleted_topic_files.hpp"

#include "directory/files/format_file.hpp"
#include "directory/files/remove_tree.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"

namespace seriatim::directory {

Result<> DeletedTopicFiles::remove(const std::string& name, PartitionId partition_count) const {
  // Renamed first: the name is free for a new topic at once, and what is left of a crash in between is
  // recognised by it.
  for (PartitionId i = 0; i < partition_count; ++i) {
    const std::string path = os::join_path(log_directory, format::partition_directory(name, i));
    auto exists = vfs.exists(path);
    if (!exists) return exists.error();
    if (!*exists) continue;
    const std::string aside =
        os::join_path(log_directory, format::deleted_partition_directory({name, i}, id_text(random_id())));
    if (auto renamed = vfs.rename(path, aside); !renamed) return renamed;
    // Descriptors are kept by name, and the name is about to mean other files.
    files.forget_below(path);
  }
  if (auto synced = vfs.sync_directory(log_directory); !synced) return synced;
  auto entries = vfs.list(log_directory);
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    const auto parsed = format::parse_partition_directory(entry.name);
    if (!parsed || parsed->state != format::DirectoryState::deleted) continue;
    if (auto removed = remove_tree(vfs, os::join_path(log_directory, entry.name)); !removed) return removed;
  }
  return vfs.sync_directory(log_directory);
}

}  // namespace seriatim::directory
