// Jobs on their way from the timers to the threads of a lane.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/mutex.hpp"

namespace seriatim::directory {

/// Threads: any.
class JobQueue {
 public:
  /// Most jobs that wait at a time. A table takes each of its jobs once, so that this many are enough for any
  /// table with no more.
  static constexpr std::size_t capacity = 64;

  /// @return false: there is no room, or `stop` was called.
  [[nodiscard]] bool push(std::size_t job) noexcept;
  /// The next job; waits for one. nullopt: `stop` was called.
  std::optional<std::size_t> take();
  /// The same without waiting. nullopt: there is none.
  std::optional<std::size_t> take_ready() noexcept;
  /// Forgets what waits, and wakes all who wait.
  void stop() noexcept;

 private:
  std::size_t pop() noexcept SERIATIM_REQUIRES(mutex_);

  base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::array<std::size_t, capacity> waiting_ SERIATIM_GUARDED_BY(mutex_){};
  std::size_t first_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::size_t count_ SERIATIM_GUARDED_BY(mutex_) = 0;
  bool is_stopped_ SERIATIM_GUARDED_BY(mutex_) = false;
};

}  // namespace seriatim::directory
