// The end of a processor, as its workers see it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: any.
class ProcessorControl {
 public:
  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopping_.store(true, std::memory_order_release);
    stopped_.notify_all();
  }
  bool is_stopping() const noexcept { return is_stopping_.load(std::memory_order_acquire); }
  /// Returns early at a stop.
  void wait(std::chrono::milliseconds time) {
    constexpr std::chrono::milliseconds day = std::chrono::hours(24);  // keeps the deadline in range
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, time < day ? time : day, [this] { return is_stopping(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::atomic<bool> is_stopping_{false};  // written under the mutex
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
