// How long a record waits for its next try.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include <seriatim/flow/parallel_consumer.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// @param backoff  in its ranges.
/// @param attempts  that have failed, 1 or more.
/// @param chance  0 .. 1.
inline std::chrono::nanoseconds backoff_of(const ParallelBackoff& backoff, std::uint32_t attempts,
                                           double chance) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  constexpr Milliseconds year = std::chrono::hours(24 * 365);  // keeps the time in range
  constexpr double times_max = 1e15;                           // finite: 0 ms times it is 0
  const double times = std::min(std::pow(backoff.multiplier, static_cast<double>(attempts - 1)), times_max);
  const double whole_ms = std::min({static_cast<double>(backoff.initial.count()) * times,
                                    static_cast<double>(backoff.max.count()), year.count()});
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      Milliseconds(whole_ms * (1.0 - backoff.jitter * chance)));
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
