// The failure latch: a failed sync is final. The kernel may have dropped the pages it could not write, so a
// second sync would report success over lost data; everything that needs stable storage answers
// storage_failed until the engine is reopened.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <utility>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"

namespace seriatim::partition {

/// Shared by all partitions of an engine. Any thread.
class StorageHealth {
 public:
  bool has_failed() const noexcept { return failed_.load(std::memory_order_acquire); }

  /// `tell` is called by the first failure, once. To be set before there is one.
  void on_failure(std::function<void()> tell) {
    const base::MutexLock lock(mutex_);
    tell_ = std::move(tell);
  }

  /// Remembers the first failure.
  void latch(const Error& cause) {
    std::function<void()> tell;
    {
      const base::MutexLock lock(mutex_);
      if (!cause_) cause_ = cause;
      failed_.store(true, std::memory_order_release);
      tell.swap(tell_);
    }
    if (tell) tell();
  }

  /// ok, or storage_failed with the cause in its message.
  Result<> check() const {
    if (!has_failed()) return {};
    const base::MutexLock lock(mutex_);
    return Error(Errc::storage_failed,
                 "an earlier sync failed, so nothing more is accepted; close the engine and open it again to "
                 "read back from the "
                 "disk what is there. Cause: " +
                     cause_->message(),
                 cause_->sys_errno());
  }

 private:
  std::atomic<bool> failed_{false};
  mutable base::Mutex mutex_;
  std::optional<Error> cause_ SERIATIM_GUARDED_BY(mutex_);
  std::function<void()> tell_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::partition
