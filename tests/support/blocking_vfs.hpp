// A file system in which one chosen call waits until the test lets it go: a disk that is busy for as long as
// somebody likes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/passing_vfs.hpp"

namespace seriatim::test {

/// Watches the thread that first names a file ending in a given way, and counts its calls from there on. Any
/// thread.
class BlockingVfs final : public PassingVfs {
 public:
  static constexpr int never = std::numeric_limits<int>::max();

  /// From the next thread on that names a file ending in `suffix`, its call number `block_at` waits; 0: that
  /// very one.
  void watch(std::string suffix, int block_at) {
    const std::lock_guard<std::mutex> lock(mutex_);
    suffix_ = std::move(suffix);
    block_at_ = block_at;
    calls_ = 0;
    watched_ = {};
    is_open_ = false;
  }
  bool is_blocked() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return is_blocked_;
  }
  /// Calls of the watched thread.
  int calls() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
  }
  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }

  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    note(path);
    return PassingVfs::open(path, mode);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    note(from);
    return PassingVfs::rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    note(path);
    return PassingVfs::remove(path);
  }
  Result<std::vector<os::DirEntry>> list(const std::string& path) override {
    note(path);
    return PassingVfs::list(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    note(path);
    return PassingVfs::sync_directory(path);
  }
  Result<bool> exists(const std::string& path) override {
    note(path);
    return PassingVfs::exists(path);
  }

 private:
  void note(std::string_view path) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (suffix_.empty()) return;
    if (watched_ == std::thread::id() && path.ends_with(suffix_)) watched_ = std::this_thread::get_id();
    if (watched_ != std::this_thread::get_id()) return;
    if (calls_++ != block_at_) return;
    is_blocked_ = true;
    changed_.wait(lock, [this] { return is_open_; });
    is_blocked_ = false;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string suffix_;
  int block_at_ = never;
  int calls_ = 0;
  std::thread::id watched_;
  bool is_blocked_ = false;
  bool is_open_ = false;
};

}  // namespace seriatim::test
