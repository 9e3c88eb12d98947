// The real file system, watched: it keeps beside it what of one directory is durable, and at every call that
// changes something lets a test see what a power cut or a kill at that moment leaves.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.hpp"
#include "os/lock/dir_lock.hpp"
#include "support/passing_vfs.hpp"
#include "support/power_disk.hpp"

namespace seriatim::test {

/// Watches what is below the root of its disk; everything else is passed on.
///
/// A changing call holds one mutex from the hook to its end, so that a hook sees a disk on which nothing else
/// happens. It is taken last: a hook must not call what the caller may hold locks of.
class PowerVfs final : public PassingVfs {
 public:
  explicit PowerVfs(std::unique_ptr<PowerDisk> disk) : disk_(std::move(disk)) {}
  /// @param root  exists; what is in it is durable.
  explicit PowerVfs(const std::string& root) : PowerVfs(std::make_unique<PowerDisk>(root)) {}

  /// Called before every change. Set before the vfs is used.
  std::function<void(std::string_view what, const std::string& path, PowerDisk& disk)> before_change{};

  /// Lets `look` see the disk between two changes.
  template <class Look>
  void with_disk(const Look& look) {
    const base::MutexLock lock(mutex_);
    look(*disk_);
  }

  /// The disk goes on without this vfs, which must not be used any more.
  std::unique_ptr<PowerDisk> take_disk() {
    const base::MutexLock lock(mutex_);
    return std::move(disk_);
  }

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    const base::MutexLock lock(mutex_);
    const bool creates = mode == os::OpenMode::create_new || mode == os::OpenMode::open_or_create;
    const bool is_watched = disk_->parent_of(path) != nullptr;
    const bool is_new = creates && is_watched && disk_->find(path) == nullptr;
    if (is_new) tell("create", path);
    auto file = PassingVfs::open(path, mode);
    if (!file || !is_watched) return file;
    if (is_new) disk_->created(path, false);
    auto node = disk_->find(path);
    if (node == nullptr || node->is_foreign) return file;
    return watched(std::move(node), *std::move(file));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    const base::MutexLock lock(mutex_);
    tell("rename", from);
    auto done = PassingVfs::rename(from, to);
    if (done) disk_->renamed(from, to);
    return done;
  }
  Result<void> remove(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    tell("remove", path);
    auto done = PassingVfs::remove(path);
    if (done) disk_->removed(path);
    return done;
  }
  Result<void> create_directory(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    tell("create directory", path);
    auto done = PassingVfs::create_directory(path);
    if (done) disk_->created(path, true);
    return done;
  }
  Result<void> remove_directory(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    tell("remove directory", path);
    auto done = PassingVfs::remove_directory(path);
    if (done) disk_->removed(path);
    return done;
  }
  Result<void> sync_directory(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    tell("sync directory", path);
    auto done = PassingVfs::sync_directory(path);
    const auto node = disk_->find(path);
    if (done && node != nullptr) PowerDisk::sync_names(*node);
    return done;
  }

 private:
  class PowerFile;
  class Observer;

  std::unique_ptr<os::File> watched(PowerNodePtr node, std::unique_ptr<os::File> file);
  /// Also makes known what LMDB has put where names are about to change.
  void tell(std::string_view what, const std::string& path) SERIATIM_REQUIRES(mutex_) {
    const auto node = disk_->find(path);
    if (node != nullptr && node->is_directory()) disk_->adopt_foreign(*node);
    if (const auto parent = disk_->parent_of(path)) disk_->adopt_foreign(*parent);
    if (before_change) before_change(what, path, *disk_);
  }
  /// @param change  does it; what it answers is the call's answer.
  template <class Change>
  Result<void> changed(std::string_view what, const std::string& path, const Change& change) {
    const base::MutexLock lock(mutex_);
    // LOCK is written under a lock of the whole process, which whoever recovers an image takes too.
    if (before_change && !path.ends_with(os::lock_file_name)) before_change(what, path, *disk_);
    return change();
  }

  base::Mutex mutex_;
  std::unique_ptr<PowerDisk> disk_;
};

/// Of a mapping: what it syncs is durable, and a populate is a moment like any other.
class PowerVfs::Observer final : public os::MappingObserver {
 public:
  Observer(PowerVfs& vfs, PowerNodePtr node, std::string path)
      : vfs_(vfs), node_(std::move(node)), path_(std::move(path)) {}

  Result<void> before_populate(std::uint64_t, std::uint64_t) override {
    return vfs_.changed("populate", path_, [] { return Result<void>{}; });
  }
  Result<void> before_store(std::uint64_t) override {
    return vfs_.changed("store", path_, [] { return Result<void>{}; });
  }
  Result<void> before_sync(std::uint64_t, std::uint64_t) override {
    return vfs_.changed("sync map", path_, [&] {
      node_->sync();
      return Result<void>{};
    });
  }

 private:
  PowerVfs& vfs_;
  PowerNodePtr node_;
  std::string path_;
};

class PowerVfs::PowerFile final : public PassingFile {
 public:
  PowerFile(PowerVfs& vfs, PowerNodePtr node, std::unique_ptr<os::File> file)
      : PassingFile(std::move(file)), vfs_(vfs), node_(std::move(node)) {}

  Result<void> write_at(base::ByteSpan from, std::uint64_t at) override {
    return vfs_.changed("write", path(), [&] { return PassingFile::write_at(from, at); });
  }
  Result<void> write_gather_at(std::span<const base::ByteSpan> pieces, std::uint64_t at) override {
    return vfs_.changed("write", path(), [&] { return PassingFile::write_gather_at(pieces, at); });
  }
  Result<void> allocate(std::uint64_t at, std::uint64_t length) override {
    return vfs_.changed("allocate", path(), [&] { return PassingFile::allocate(at, length); });
  }
  Result<void> truncate(std::uint64_t size) override {
    return vfs_.changed("truncate", path(), [&] { return PassingFile::truncate(size); });
  }
  Result<void> sync_data() override {
    return vfs_.changed("sync", path(), [&] {
      node_->sync();
      return PassingFile::sync_data();
    });
  }
  Result<void> sync_all() override { return sync_data(); }
  Result<os::Mapping> map(std::uint64_t length, os::Access access) override {
    auto mapping = PassingFile::map(length, access);
    if (!mapping || access == os::Access::read) return mapping;
    node_->is_mapped = true;
    mapping->observe(std::make_shared<Observer>(vfs_, node_, path()));
    return mapping;
  }

 private:
  PowerVfs& vfs_;
  PowerNodePtr node_;
};

inline std::unique_ptr<os::File> PowerVfs::watched(PowerNodePtr node, std::unique_ptr<os::File> file) {
  return std::make_unique<PowerFile>(*this, std::move(node), std::move(file));
}

}  // namespace seriatim::test
