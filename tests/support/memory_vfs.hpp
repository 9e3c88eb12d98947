// A file system in memory that can lose power: what was not synced survives in part, in any order, torn at
// 512 bytes; names change back to those of the last sync of their directory, or to some step after it.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "os/path.hpp"
#include "os/vfs.hpp"
#include "support/random.hpp"

namespace seriatim::test {

class MemoryVfs final : public os::Vfs {
 public:
  /// Asked before every call that changes something: "write", "sync", "create", "rename", ... An error is the
  /// call's answer, and nothing happens. Called with no lock held.
  std::function<Result<void>(std::string_view what, const std::string& path)> before_change{};

  /// Told of every sync of a file that has ended well, before the caller is.
  std::function<void(const std::string& path)> after_sync{};

  /// Loses power. Every call fails until `restart`; files that are open fail for ever.
  void cut_power() { is_off_ = true; }

  /// Power is back: of what was not synced, `random` decides what is there.
  void restart(Random& random) {
    const base::MutexLock lock(mutex_);
    const auto kept = random.between(0, static_cast<std::int64_t>(changes_.size()));
    for (std::int64_t i = 0; i < kept; ++i) changes_[static_cast<std::size_t>(i)].apply(durable_names_);
    changes_.clear();
    std::map<Inode*, std::shared_ptr<Inode>> survivors;
    for (auto& [path, inode] : durable_names_) {
      if (inode == nullptr) continue;
      auto& survivor = survivors[inode.get()];
      if (survivor == nullptr) survivor = survivor_of(*inode, random);
      inode = survivor;
    }
    names_ = durable_names_;
    ++boot_;
    is_off_ = false;
  }

  /// The bytes of a file as a reader sees them; to be changed between runs.
  std::vector<std::byte>& bytes(const std::string& path) {
    const base::MutexLock lock(mutex_);
    return names_.at(path)->bytes;
  }
  std::vector<std::string> paths() {
    const base::MutexLock lock(mutex_);
    std::vector<std::string> result;
    for (const auto& [path, inode] : names_) {
      if (inode != nullptr) result.push_back(path);
    }
    return result;
  }

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    const bool creates = mode == os::OpenMode::create_new || mode == os::OpenMode::open_or_create;
    if (creates) {
      if (auto allowed = change("create", path); !allowed) return std::move(allowed).error();
    }
    const base::MutexLock lock(mutex_);
    if (is_off_) return off(path);
    const auto found = names_.find(path);
    if (found != names_.end() && found->second == nullptr)
      return Error(Errc::io_error, path + ": a directory");
    if (found != names_.end()) return file(path, found->second);
    if (!creates) return Error(Errc::not_found, path + ": not there");
    auto inode = std::make_shared<Inode>();
    note({{}, path, inode});
    return file(path, inode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (auto allowed = change("rename", from); !allowed) return allowed;
    const base::MutexLock lock(mutex_);
    const auto found = names_.find(from);
    if (found == names_.end()) return Error(Errc::not_found, from + ": not there");
    note({from, to, found->second});
    return {};
  }
  Result<void> remove(const std::string& path) override {
    if (auto allowed = change("remove", path); !allowed) return allowed;
    const base::MutexLock lock(mutex_);
    if (!names_.contains(path)) return Error(Errc::not_found, path + ": not there");
    note({path, {}, {}});
    return {};
  }
  Result<void> create_directory(const std::string& path) override {
    if (auto allowed = change("create directory", path); !allowed) return allowed;
    const base::MutexLock lock(mutex_);
    note({{}, path, nullptr});
    return {};
  }
  Result<void> remove_directory(const std::string& path) override { return remove(path); }
  Result<std::vector<os::DirEntry>> list(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    if (is_off_) return off(path);
    if (!names_.contains(path)) return Error(Errc::not_found, path + ": not there");
    std::vector<os::DirEntry> entries;
    for (const auto& [name, inode] : names_) {
      if (name == path || os::parent_path(name) != path) continue;
      const auto kind = inode == nullptr ? os::EntryKind::directory : os::EntryKind::file;
      entries.push_back({name.substr(path.size() + 1), kind});
    }
    return entries;
  }
  Result<void> sync_directory(const std::string& path) override {
    if (auto allowed = change("sync directory", path); !allowed) return allowed;
    const base::MutexLock lock(mutex_);
    std::vector<Change> left;
    for (auto& change : changes_) {
      if (change.is_in(path)) {
        change.apply(durable_names_);
      } else {
        left.push_back(std::move(change));
      }
    }
    changes_ = std::move(left);
    return {};
  }
  Result<bool> exists(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return names_.contains(path);
  }
  Result<os::FileSystem> file_system(const std::string&) override {
    return os::FileSystem{1U << 30, 1U << 30, "memory", false, true};
  }

 private:
  struct Inode {
    std::vector<std::byte> bytes{};
    std::vector<std::byte> durable{};
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;  // a directory has no inode

  struct Change {
    std::string removed{};
    std::string added{};
    std::shared_ptr<Inode> inode{};
    void apply(Names& names) const {
      if (!removed.empty()) names.erase(removed);
      if (!added.empty()) names[added] = inode;
    }
    bool is_in(const std::string& directory) const {
      return os::parent_path(added.empty() ? removed : added) == directory;
    }
  };

  class MemoryFile final : public os::File {
   public:
    MemoryFile(MemoryVfs& vfs, std::string path, std::shared_ptr<Inode> inode)
        : vfs_(vfs), path_(std::move(path)), inode_(std::move(inode)), boot_(vfs.boot_) {}
    Result<std::size_t> read_at(base::MutableByteSpan into, std::uint64_t position) override {
      const base::MutexLock lock(vfs_.mutex_);
      const std::size_t at = std::min<std::size_t>(position, inode_->bytes.size());
      const std::size_t count = std::min(into.size(), inode_->bytes.size() - at);
      std::copy_n(inode_->bytes.begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
      return count;
    }
    Result<void> write_at(base::ByteSpan from, std::uint64_t position) override {
      const base::ByteSpan pieces[] = {from};
      return write_gather_at(pieces, position);
    }
    Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t position) override {
      if (auto allowed = change("write"); !allowed) return allowed;
      const base::MutexLock lock(vfs_.mutex_);
      for (const base::ByteSpan piece : pieces) {
        if (inode_->bytes.size() < position + piece.size()) inode_->bytes.resize(position + piece.size());
        std::copy(piece.begin(), piece.end(), inode_->bytes.begin() + static_cast<std::ptrdiff_t>(position));
        position += piece.size();
      }
      return {};
    }
    Result<void> allocate(std::uint64_t position, std::uint64_t length) override {
      if (auto allowed = change("allocate"); !allowed) return allowed;
      const base::MutexLock lock(vfs_.mutex_);
      inode_->bytes.resize(std::max<std::size_t>(inode_->bytes.size(), position + length));
      return {};
    }
    Result<void> truncate(std::uint64_t size) override {
      if (auto allowed = change("truncate"); !allowed) return allowed;
      const base::MutexLock lock(vfs_.mutex_);
      inode_->bytes.resize(size);
      return {};
    }
    Result<void> sync_data() override {
      if (auto allowed = change("sync"); !allowed) return allowed;
      {
        const base::MutexLock lock(vfs_.mutex_);
        inode_->durable = inode_->bytes;
      }
      if (vfs_.after_sync) vfs_.after_sync(path_);
      return {};
    }
    Result<void> sync_all() override { return sync_data(); }
    Result<std::uint64_t> size() override {
      const base::MutexLock lock(vfs_.mutex_);
      return inode_->bytes.size();
    }
    Result<os::Mapping> map(std::uint64_t, os::Access) override {
      return Error(Errc::io_error, path_ + ": a file in memory cannot be mapped; use a real one");
    }
    Result<void> drop_cache(std::uint64_t, std::uint64_t) override { return {}; }
    int descriptor() const noexcept override { return -1; }
    const std::string& path() const noexcept override { return path_; }
    Result<std::int64_t> modified_ms() override { return std::int64_t{0}; }
    Result<void> set_modified_ms(std::int64_t) override { return {}; }

   private:
    Result<void> change(std::string_view what) {
      if (boot_ != vfs_.boot_) return off(path_);
      return vfs_.change(what, path_);
    }
    MemoryVfs& vfs_;
    std::string path_;
    std::shared_ptr<Inode> inode_;
    int boot_;
  };

  static Error off(const std::string& path) {
    return {Errc::io_error, path + ": the power is off (by the test); nothing to be done"};
  }

  Result<void> change(std::string_view what, const std::string& path) {
    if (is_off_) return off(path);
    return before_change ? before_change(what, path) : Result<void>{};
  }
  void note(Change change) SERIATIM_REQUIRES(mutex_) {
    change.apply(names_);
    changes_.push_back(std::move(change));
  }
  Result<std::unique_ptr<os::File>> file(const std::string& path, const std::shared_ptr<Inode>& inode) {
    return std::unique_ptr<os::File>(std::make_unique<MemoryFile>(*this, path, inode));
  }

  static std::shared_ptr<Inode> survivor_of(const Inode& inode, Random& random) {
    constexpr std::size_t sector = 512;
    auto survivor = std::make_shared<Inode>();
    auto& bytes = survivor->bytes;
    bytes = inode.durable;
    if (bytes.size() != inode.bytes.size() && random.one_in(2)) bytes.resize(inode.bytes.size());
    for (std::size_t at = 0; at < std::min(bytes.size(), inode.bytes.size()); at += sector) {
      if (random.one_in(2)) continue;
      const std::size_t count = std::min({sector, bytes.size() - at, inode.bytes.size() - at});
      std::copy_n(inode.bytes.begin() + static_cast<std::ptrdiff_t>(at), count,
                  bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    survivor->durable = bytes;
    return survivor;
  }

  base::Mutex mutex_;
  Names names_ SERIATIM_GUARDED_BY(mutex_);
  Names durable_names_ SERIATIM_GUARDED_BY(mutex_);
  std::vector<Change> changes_ SERIATIM_GUARDED_BY(mutex_);
  std::atomic<bool> is_off_{false};
  std::atomic<int> boot_{0};
};

}  // namespace seriatim::test
