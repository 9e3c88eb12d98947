#include "directory/files/remove_tree.hpp"

#include "os/path.hpp"

namespace seriatim::directory {

Result<> remove_tree(os::Vfs& vfs, const std::string& path) {
  auto entries = vfs.list(path);
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    const std::string child = os::join_path(path, entry.name);
    auto removed = entry.kind == os::EntryKind::directory ? remove_tree(vfs, child) : vfs.remove(child);
    if (!removed) return removed;
  }
  return vfs.remove_directory(path);
}

}  // namespace seriatim::directory
