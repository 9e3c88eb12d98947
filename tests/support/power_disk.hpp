// The contents that a disk has, and those that only the page cache has, of everything below one directory:
// what a power cut or a kill leaves of it.
//
// A file is known by itself, not by its name: its bytes and its length at its last sync stand beside the live
// ones, which are read from the file when they are asked for, so that stores through a mapping need not be
// seen. A directory has the names of its last sync, and every change of one since. A file that the vfs did
// not make is LMDB's (catalog/data.mdb, lock.mdb): it syncs by itself, and between two calls that are seen
// here its file holds nothing but committed and synced state, so that its bytes are taken as they are.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/lock/dir_lock.hpp"
#include "os/path.hpp"
#include "os/process.hpp"
#include "support/power_sectors.hpp"
#include "support/random.hpp"

namespace seriatim::test {

/// A test cannot go on without what it asked of the real file system.
template <class T>
T needed(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}
inline void needed(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

struct PowerNode;
using PowerNodePtr = std::shared_ptr<PowerNode>;
using PowerNames = std::map<std::string, PowerNodePtr>;

/// One change of names, which happens whole or not at all: a name that goes, a name that comes, or both.
struct PowerNameChange {
  std::string removed{};
  std::string added{};
  PowerNodePtr node{};

  void apply(PowerNames& names) const {
    if (!removed.empty()) names.erase(removed);
    if (!added.empty()) names[added] = node;
  }
};

/// A file or directory, as long as a name, live or durable, leads to it.
struct PowerNode {
  std::unique_ptr<os::File> file{};  ///< Reads the live bytes, also when the last live name has gone.
  std::vector<std::byte> durable{};
  bool is_mapped = false;   ///< Stored to through a map: its sectors tear at any byte.
  bool is_foreign = false;  ///< LMDB's: the live bytes are the durable ones.

  std::string path{};  ///< Of a directory, live.
  PowerNames names{};
  PowerNames durable_names{};
  std::vector<PowerNameChange> changes{};

  bool is_directory() const { return file == nullptr; }
  std::vector<std::byte> live() const {
    std::vector<std::byte> bytes(static_cast<std::size_t>(needed(file->size())));
    bytes.resize(needed(file->read_at(bytes, 0)));
    return bytes;
  }
  void sync() { durable = live(); }
};

/// Threads: one at a time; `PowerVfs` sees to it.
class PowerDisk {
 public:
  /// @param root  exists; what is in it is durable.
  explicit PowerDisk(std::string root) : root_(std::move(root)), top_(scan(root_)) {}

  const std::string& root() const noexcept { return root_; }

  /// nullptr: unknown, or outside of the root.
  PowerNodePtr find(const std::string& path) {
    if (path == root_) return top_;
    const auto parent = parent_of(path);
    if (parent == nullptr) return nullptr;
    const auto found = parent->names.find(name_of(path));
    return found == parent->names.end() ? nullptr : found->second;
  }

  void created(const std::string& path, bool is_directory) {
    const auto parent = parent_of(path);
    if (parent == nullptr) return;
    auto node = is_directory ? directory(path) : file(path);
    note(*parent, {{}, name_of(path), std::move(node)});
  }
  void renamed(const std::string& from, const std::string& to) {
    const auto parent = parent_of(from);
    if (parent == nullptr) return;
    if (parent != parent_of(to)) throw std::runtime_error("a rename to another directory is not modelled");
    // Looked up under its old name, which is the only one that is known.
    const auto node = parent->names.at(name_of(from));
    if (node->is_directory()) node->path = to;
    note(*parent, {name_of(from), name_of(to), node});
  }
  void removed(const std::string& path) {
    if (const auto parent = parent_of(path)) note(*parent, {name_of(path), {}, {}});
  }
  /// To be called before names of the directory change: what LMDB has made in it becomes known.
  void adopt_foreign(PowerNode& parent) {
    if (!std::filesystem::exists(parent.path)) return;
    for (const auto& entry : needed(os::posix_vfs().list(parent.path))) {
      if (parent.names.contains(entry.name) || entry.kind != os::EntryKind::file) continue;
      auto node = file(os::join_path(parent.path, entry.name));
      node->is_foreign = true;
      note(parent, {{}, entry.name, std::move(node)});
    }
  }
  PowerNodePtr parent_of(const std::string& path) {
    if (!path.starts_with(root_ + "/")) return nullptr;
    PowerNodePtr node = top_;
    std::size_t at = root_.size() + 1;
    for (std::size_t slash = path.find('/', at); slash != std::string::npos; slash = path.find('/', at)) {
      const auto found = node->names.find(path.substr(at, slash - at));
      if (found == node->names.end() || !found->second->is_directory()) return nullptr;
      node = found->second;
      at = slash + 1;
    }
    return node;
  }
  static void sync_names(PowerNode& node) {
    node.durable_names = node.names;
    node.changes.clear();
  }

  /// Leaves in `into`, which is made, the state after a power cut at this moment; `random` decides which.
  void power_cut(const std::string& into, Random& random) {
    const PowerChoice choice(random);
    adopt_all(*top_);
    write_cut(*top_, into, choice, random);
  }
  /// Leaves in `into` the state after the process dies at this moment: the live contents, to the byte.
  void kill(const std::string& into) {
    adopt_all(*top_);
    write_live(*top_, into);
  }
  /// The same disk after a kill, without a power cut: the live bytes in `into`, and as much durable as
  /// before.
  std::unique_ptr<PowerDisk> after_kill(const std::string& into) {
    kill(into);
    std::unique_ptr<PowerDisk> next(new PowerDisk(into, nullptr));
    Copies copies;
    next->top_ = next->copy_live(*top_, into, copies);
    for (const PowerNode* directory : std::vector(copies.live_directories))
      next->copy_history(*directory, copies);
    return next;
  }

 private:
  PowerDisk(std::string root, PowerNodePtr top) : root_(std::move(root)), top_(std::move(top)) {}

  static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static PowerNodePtr directory(const std::string& path) {
    auto node = std::make_shared<PowerNode>();
    node->path = path;
    return node;
  }
  static PowerNodePtr file(const std::string& path) {
    auto node = std::make_shared<PowerNode>();
    node->file = needed(os::posix_vfs().open(path, os::OpenMode::read));
    return node;
  }
  static bool is_lmdb(std::string_view name) { return name == "data.mdb" || name == "lock.mdb"; }
  static PowerNodePtr scan(const std::string& path) {
    auto node = directory(path);
    for (const auto& entry : needed(os::posix_vfs().list(path))) {
      const std::string child = os::join_path(path, entry.name);
      auto known = entry.kind == os::EntryKind::directory ? scan(child) : file(child);
      if (!known->is_directory()) {
        known->sync();
        known->is_foreign = is_lmdb(entry.name);
      }
      node->names[entry.name] = std::move(known);
    }
    sync_names(*node);
    return node;
  }

  static void note(PowerNode& parent, PowerNameChange change) {
    change.apply(parent.names);
    parent.changes.push_back(std::move(change));
  }
  void adopt_all(PowerNode& node) {
    adopt_foreign(node);
    for (const auto& [name, child] : node.names) {
      if (child->is_directory()) adopt_all(*child);
    }
  }

  // Changes of one name keep their order; those of different names need not.
  static PowerNames surviving_names(const PowerNode& node, const PowerChoice& choice, Random& random) {
    if (choice.names == PowerChoice::Names::all) return node.names;
    PowerNames names = node.durable_names;
    if (choice.names == PowerChoice::Names::none) return names;
    std::set<std::string> settled;
    const auto count = static_cast<std::int64_t>(node.changes.size());
    std::int64_t left = choice.names == PowerChoice::Names::prefix ? random.between(0, count) : count;
    for (const PowerNameChange& change : node.changes) {
      const bool is_lost = left-- <= 0 || settled.contains(change.removed) ||
                           settled.contains(change.added) ||
                           (choice.names == PowerChoice::Names::each && random.one_in(2));
      if (!is_lost) {
        change.apply(names);
        continue;
      }
      if (!change.removed.empty()) settled.insert(change.removed);
      if (!change.added.empty()) settled.insert(change.added);
    }
    return names;
  }

  static void write_cut(const PowerNode& node, const std::string& into, const PowerChoice& choice,
                        Random& random) {
    needed(os::posix_vfs().create_directory(into));
    for (const auto& [name, child] : surviving_names(node, choice, random)) {
      const std::string path = os::join_path(into, name);
      if (child->is_directory()) {
        write_cut(*child, path, choice, random);
      } else if (child->is_foreign) {
        write_file(path, child->live());
      } else {
        // Some bytes have the time of day or are random: what becomes of the other files may not depend on
        // them, or a seed would not repeat a history.
        Random of_file(random.next());
        auto bytes = surviving_bytes({child->durable, child->live(), child->is_mapped}, choice, of_file);
        if (name == os::lock_file_name) boot_again(bytes);
        write_file(path, bytes);
      }
    }
  }
  // The lock file says in which boot the files were written. After a power cut there is another.
  static void boot_again(std::vector<std::byte>& text) {
    const std::string boot = os::boot_id();
    const auto known = base::as_bytes(boot);
    for (auto at = text.begin(); !boot.empty(); ++at) {
      at = std::search(at, text.end(), known.begin(), known.end());
      if (at == text.end()) return;
      *at = std::byte{'-'};
    }
  }
  static void write_live(const PowerNode& node, const std::string& into) {
    needed(os::posix_vfs().create_directory(into));
    for (const auto& [name, child] : node.names) {
      const std::string path = os::join_path(into, name);
      child->is_directory() ? write_live(*child, path) : write_file(path, child->live());
    }
  }
  static void write_file(const std::string& path, const std::vector<std::byte>& bytes) {
    const auto made = needed(os::posix_vfs().open(path, os::OpenMode::create_new));
    const std::size_t end = end_of_content(bytes);
    if (end > 0) needed(made->write_at(base::ByteSpan(bytes).first(end), 0));
    if (end < bytes.size()) needed(made->truncate(bytes.size()));
  }

  struct Copies {
    std::map<const PowerNode*, PowerNodePtr> of{};
    std::vector<const PowerNode*> live_directories{};
  };
  static void copy_state(const PowerNode& from, PowerNode& to) {
    to.durable = from.durable;
    to.is_mapped = from.is_mapped;
    to.is_foreign = from.is_foreign;
  }
  PowerNodePtr copy_live(const PowerNode& node, const std::string& path, Copies& copies) {
    auto copy = node.is_directory() ? directory(path) : file(path);
    copies.of[&node] = copy;
    copy_state(node, *copy);
    if (node.is_directory()) copies.live_directories.push_back(&node);
    for (const auto& [name, child] : node.names)
      copy->names[name] = copy_live(*child, os::join_path(path, name), copies);
    return copy;
  }
  // Makes what only durable names lead to, or only names that came and went since.
  PowerNodePtr copy_of(const PowerNodePtr& node, Copies& copies) {
    if (node == nullptr) return nullptr;
    if (const auto known = copies.of.find(node.get()); known != copies.of.end()) return known->second;
    auto copy = directory(node->path);
    copies.of[node.get()] = copy;
    copy_state(*node, *copy);
    if (node->is_directory()) {
      for (const auto& [name, child] : node->names) copy->names[name] = copy_of(child, copies);
      copy_history(*node, copies);
    } else {
      const std::string unnamed = root_ + ".unnamed";
      write_file(unnamed, node->live());
      copy->file = needed(os::posix_vfs().open(unnamed, os::OpenMode::read));
      needed(os::posix_vfs().remove(unnamed));
    }
    return copy;
  }
  void copy_history(const PowerNode& node, Copies& copies) {
    const PowerNodePtr copy = copies.of.at(&node);
    for (const auto& [name, child] : node.durable_names) copy->durable_names[name] = copy_of(child, copies);
    for (const auto& change : node.changes)
      copy->changes.push_back({change.removed, change.added, copy_of(change.node, copies)});
  }

  const std::string root_;
  PowerNodePtr top_;
};

}  // namespace seriatim::test
