// Threads that wait for records, and how the appender tells them without paying when nobody does.
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
    // Exchanged, as notify() does: whichever comes second sees what the other did before. Either the listener
    // is found, or it finds the new end when it looks, which it does after adding itself.
    count_.exchange(static_cast<std::uint32_t>(listeners_.size()), std::memory_order_seq_cst);
  }
  /// Undoes one `add`.
  void remove(const std::shared_ptr<AppendListener>& listener) {
    const base::MutexLock lock(mutex_);
    const auto found = std::find(listeners_.begin(), listeners_.end(), listener);
    if (found != listeners_.end()) listeners_.erase(found);
    count_.exchange(static_cast<std::uint32_t>(listeners_.size()), std::memory_order_seq_cst);
  }
  /// After what the listeners wait for was stored.
  void notify() noexcept {
    if (count_.fetch_add(0, std::memory_order_seq_cst) != 0) tell();
  }
  /// The same, right after the append mutex was unlocked.
  /// Cost: while nobody listens one load on x86, where the unlock is the locked instruction that notify()
  /// needs.
  void notify_after_unlock() noexcept {
#if defined(__x86_64__)
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (count_.load(std::memory_order_seq_cst) != 0) tell();
#else
    notify();
#endif
  }

 private:
  void tell() noexcept {
    const base::MutexLock lock(mutex_);
    for (const auto& listener : listeners_) listener->on_append();
  }

  std::atomic<std::uint32_t> count_{0};
  base::Mutex mutex_;
  std::vector<std::shared_ptr<AppendListener>> listeners_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::partition
