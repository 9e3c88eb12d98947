// How many records of a producer are accepted and not yet delivered.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.hpp"

namespace seriatim::api {

/// Counts records that are accepted and not yet delivered, for flush and close. Any thread.
class InFlight {
 public:
  void add() noexcept;
  void remove() noexcept;
  /// Waits until everything that was in flight when called has been delivered (records sent meanwhile may prolong it); false if `deadline` came first.
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

 private:
  base::Mutex mutex_;
  base::ConditionVariable emptied_;
  std::uint64_t count_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

/// One record in flight, until destroyed. Movable.
class InFlightMark {
 public:
  InFlightMark() noexcept = default;
  explicit InFlightMark(std::shared_ptr<InFlight> counted) noexcept : counted_(std::move(counted)) { counted_->add(); }
  InFlightMark(InFlightMark&&) noexcept = default;
  InFlightMark& operator=(InFlightMark&& other) noexcept {
    if (this != &other) {
      release();
      counted_ = std::move(other.counted_);
    }
    return *this;
  }
  ~InFlightMark() { release(); }
  void release() noexcept {
    if (counted_) std::exchange(counted_, nullptr)->remove();
  }

 private:
  std::shared_ptr<InFlight> counted_;
};

}  // namespace seriatim::api
