// The end of a poll's time. Waiting is in real time, whatever clock the engine was given for its records and
// locks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace seriatim::consumer {

inline std::int64_t real_now_ns() noexcept { return base::system_clock().monotonic_ns(); }

/// By the same clock. A negative time-out is none.
inline std::int64_t deadline_after(std::chrono::milliseconds timeout) noexcept {
  constexpr std::int64_t ns_per_ms = 1'000'000;
  constexpr std::int64_t forever_ms = 1'000LL * 3'600 * 24 * 365;  // a year; keeps the sum in range
  return real_now_ns() + std::clamp<std::int64_t>(timeout.count(), 0, forever_ms) * ns_per_ms;
}

}  // namespace seriatim::consumer
