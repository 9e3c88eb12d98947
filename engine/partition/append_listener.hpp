// Who waits for records, and how the appender tells them without paying when nobody does.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.hpp"

namespace seriatim::partition {

/// Told that a partition it listens to has grown. Must be quick and must not call back into the partition.
class AppendListener {
 public:
  virtual ~AppendListener() = default;
  virtual void on_append() noexcept = 0;
};

/// The listeners of one partition. Any thread.
class AppendListeners {
 public:
  void add(const std::shared_ptr<AppendListener>& listener) {
    const base::MutexLock lock(mutex_);
    listeners_.push_back(listener);
    // Sequentially consistent: a listener that was added before a publication is seen by notify(), and one
    // added after it sees the new end when it looks, which it does after adding itself.
    count_.store(static_cast<std::uint32_t>(listeners_.size()), std::memory_order_seq_cst);
  }
  /// Undoes one `add`.
  void remove(const std::shared_ptr<AppendListener>& listener) {
    const base::MutexLock lock(mutex_);
    const auto found = std::find(listeners_.begin(), listeners_.end(), listener);
    if (found != listeners_.end()) listeners_.erase(found);
    count_.store(static_cast<std::uint32_t>(listeners_.size()), std::memory_order_seq_cst);
  }
  /// After what the listeners wait for was stored.
  void notify() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    tell();
  }
  /// The same, right after the append mutex was unlocked. Cost while nobody listens: one load.
  void notify_after_unlock() noexcept {
    base::fence_after_exchange();
    tell();
  }

 private:
  void tell() noexcept {
    if (count_.load(std::memory_order_seq_cst) == 0) return;
    const base::MutexLock lock(mutex_);
    for (const auto& listener : listeners_) listener->on_append();
  }

  std::atomic<std::uint32_t> count_{0};
  base::Mutex mutex_;
  std::vector<std::shared_ptr<AppendListener>> listeners_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::partition
