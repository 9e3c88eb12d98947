#include "directory/upkeep/work_pace.hpp"

#include <algorithm>
#include <chrono>

#include "base/saturate.hpp"

namespace seriatim::directory {
namespace {

constexpr double ns_per_second = 1e9;
// The bytes that may be spent ahead: below them nobody sleeps, since a sleep is rounded up to the next tick
// of the system. Arbitrary.
constexpr std::int64_t ahead_ns = 50'000'000;
// How long a pass waits before it looks again whether it is to end. Arbitrary.
constexpr std::chrono::milliseconds moment{50};

}  // namespace

bool WorkPace::begin() {
  const base::MutexLock lock(mutex_);
  if (is_paused_ || is_stopped_) return false;
  ++passes_;
  return true;
}

void WorkPace::end() {
  {
    const base::MutexLock lock(mutex_);
    --passes_;
  }
  changed_.notify_all();
}

bool WorkPace::may_go_on() const {
  const base::MutexLock lock(mutex_);
  return !is_paused_ && !is_stopped_;
}

bool WorkPace::spend(std::uint64_t bytes) {
  if (bytes_per_second_ == 0) return true;
  const base::MutexLock lock(mutex_);
  const std::int64_t now_ns = clock_.monotonic_ns();
  const double cost_ns = static_cast<double>(bytes) / static_cast<double>(bytes_per_second_) * ns_per_second;
  // Below 2^62, which a double and the sum with a time both hold.
  const auto cost = static_cast<std::int64_t>(std::min(cost_ns, 4e18));
  paid_until_ns_ = base::saturating_add(std::max(paid_until_ns_, now_ns), cost);
  const std::int64_t wait_ns = base::saturating_sub(paid_until_ns_, now_ns) - ahead_ns;
  if (wait_ns <= 0) return true;
  if (is_paused_ || is_stopped_) return false;
  const auto wait = std::min<std::chrono::nanoseconds>(moment, std::chrono::nanoseconds(wait_ns));
  changed_.wait_until(mutex_, std::chrono::steady_clock::now() + wait);
  return base::saturating_sub(paid_until_ns_, clock_.monotonic_ns()) <= ahead_ns;
}

void WorkPace::pause() {
  const base::MutexLock lock(mutex_);
  is_paused_ = true;
  changed_.notify_all();
  while (is_paused_ && passes_ > 0) changed_.wait(mutex_);
}

void WorkPace::resume() {
  {
    const base::MutexLock lock(mutex_);
    is_paused_ = false;
  }
  changed_.notify_all();
}

bool WorkPace::is_paused() const {
  const base::MutexLock lock(mutex_);
  return is_paused_;
}

void WorkPace::stop() {
  {
    const base::MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace seriatim::directory
