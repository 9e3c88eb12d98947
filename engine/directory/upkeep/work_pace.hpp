// How fast the workers may go: not at all while they are paused, and not beyond so many bytes a second.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace seriatim::directory {

/// Threads: any.
class WorkPace {
 public:
  /// @param bytes_per_second  0: no limit.
  WorkPace(const base::Clock& clock, std::uint64_t bytes_per_second)
      : clock_(clock), bytes_per_second_(bytes_per_second) {}

  /// A pass that may begin, for as long as this lives.
  class Pass {
   public:
    /// `is_allowed` is false afterwards if work is paused or at its end.
    explicit Pass(WorkPace& pace) : pace_(pace), is_allowed_(pace.begin()) {}
    ~Pass() {
      if (is_allowed_) pace_.end();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    bool is_allowed() const noexcept { return is_allowed_; }

   private:
    WorkPace& pace_;
    bool is_allowed_;
  };

  /// Whether a pass that runs may go on.
  bool may_go_on() const;
  /// Takes `bytes` from the budget, and waits for it, a moment at most.
  /// @return false: it is still used up; ask again with 0.
  bool spend(std::uint64_t bytes);
  /// Lets no pass begin, and waits for those that run: each ends at its next look. Idempotent.
  void pause();
  void resume();
  bool is_paused() const;
  /// The same for good, and without waiting.
  void stop();

 private:
  bool begin();
  void end();

  const base::Clock& clock_;
  const std::uint64_t bytes_per_second_;
  mutable base::Mutex mutex_;
  base::ConditionVariable changed_;
  bool is_paused_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_stopped_ SERIATIM_GUARDED_BY(mutex_) = false;
  std::uint32_t passes_ SERIATIM_GUARDED_BY(mutex_) = 0;
  /// When the bytes spent so far are earned.
  std::int64_t paid_until_ns_ SERIATIM_GUARDED_BY(mutex_) = INT64_MIN;
};

}  // namespace seriatim::directory
