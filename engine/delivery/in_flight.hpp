// Which records of a producer are accepted and not yet delivered.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "base/mutex.hpp"

namespace seriatim::delivery {

/// Counts records that are accepted and not yet delivered, for flush and close. Any thread.
///
/// By generations: a flush begins a new one and waits for those before it, so that records sent meanwhile
/// cannot keep it waiting.
class InFlight {
 public:
  /// @return what `remove` wants to be told.
  std::uint64_t add();
  void remove(std::uint64_t generation) noexcept;
  /// Waits until everything that was added before the call has been removed; false if `deadline` came first.
  bool wait_for_earlier(std::chrono::steady_clock::time_point deadline);

 private:
  base::Mutex mutex_;
  base::ConditionVariable finished_;
  // Of the generations from first_generation_ on. Only the last one grows, and only it may be 0.
  std::deque<std::uint64_t> counts_ SERIATIM_GUARDED_BY(mutex_){0};
  std::uint64_t first_generation_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

/// One record in flight, until destroyed. Movable.
class InFlightMark {
 public:
  InFlightMark() noexcept = default;
  explicit InFlightMark(std::shared_ptr<InFlight> counted)
      : counted_(std::move(counted)), generation_(counted_->add()) {}
  InFlightMark(InFlightMark&&) noexcept = default;
  InFlightMark& operator=(InFlightMark&& other) noexcept {
    if (this != &other) {
      release();
      counted_ = std::move(other.counted_);
      generation_ = other.generation_;
    }
    return *this;
  }
  ~InFlightMark() { release(); }
  void release() noexcept {
    if (counted_) std::exchange(counted_, nullptr)->remove(generation_);
  }

 private:
  std::shared_ptr<InFlight> counted_;
  std::uint64_t generation_ = 0;
};

}  // namespace seriatim::delivery
