// A file system in which everything can be changed and nothing is: changes stay in memory, over files that
// are only read. With it, what a recovery would do can be looked at without doing it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "os/vfs.hpp"

namespace seriatim::os {

/// Memory: what is written.
/// Threads: one at a time.
/// Errors beyond those of `Vfs`: invalid_state: a directory is to be removed or renamed, or a file mapped.
class OverlayVfs final : public Vfs {
 public:
  /// @param below  outlives it.
  explicit OverlayVfs(Vfs& below) noexcept : below_(below) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> create_directory(const std::string& path) override;
  Result<void> remove_directory(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<FileSystem> file_system(const std::string& path) override { return below_.file_system(path); }

 private:
  struct Node;
  class OverlayFile;
  using NodePtr = std::shared_ptr<Node>;

  Result<NodePtr> find(const std::string& path);

  Vfs& below_;
  std::map<std::string, NodePtr> files_{};  ///< Perhaps changed, by path; null: the name is gone.
  /// Files that are only read, and closed when nobody does: there may be more of them than descriptors.
  std::map<std::string, std::weak_ptr<Node>> read_{};
  std::set<std::string> directories_{};  ///< Made here.
};

}  // namespace seriatim::os
