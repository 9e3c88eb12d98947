// Points in time that a caller's timeout ends at.
#pragma once

#include <algorithm>
#include <chrono>

namespace seriatim::base {

/// `timeout` from now. A timeout beyond a year is taken for a year, so that the sum stays in the clock's
/// range; a negative one for none.
template <class Rep, class Period>
std::chrono::steady_clock::time_point deadline_after(std::chrono::duration<Rep, Period> timeout) noexcept {
  using Duration = std::chrono::duration<Rep, Period>;
  constexpr Duration longest = std::chrono::hours(24 * 365);
  return std::chrono::steady_clock::now() + std::clamp(timeout, Duration::zero(), longest);
}

}  // namespace seriatim::base
