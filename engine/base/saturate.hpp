// Sums and products that stop at the limits of their type. A duration or a point in time that an option may
// set to the largest value means "never": a sum that wraps around would mean "at once".
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

namespace seriatim::base {

template <std::signed_integral Number>
constexpr Number saturating_add(Number left, Number right) noexcept {
  Number sum = 0;
  if (!__builtin_add_overflow(left, right, &sum)) return sum;
  return right < 0 ? std::numeric_limits<Number>::min() : std::numeric_limits<Number>::max();
}

template <std::signed_integral Number>
constexpr Number saturating_sub(Number left, Number right) noexcept {
  Number difference = 0;
  if (!__builtin_sub_overflow(left, right, &difference)) return difference;
  return right < 0 ? std::numeric_limits<Number>::max() : std::numeric_limits<Number>::min();
}

template <std::signed_integral Number>
constexpr Number saturating_mul(Number left, Number right) noexcept {
  Number product = 0;
  if (!__builtin_mul_overflow(left, right, &product)) return product;
  return (left < 0) == (right < 0) ? std::numeric_limits<Number>::max() : std::numeric_limits<Number>::min();
}

/// Milliseconds as nanoseconds: 292 years at the most.
constexpr std::int64_t ns_of_ms(std::int64_t ms) noexcept {
  return saturating_mul<std::int64_t>(ms, 1'000'000);
}

/// Rounded towards zero.
constexpr std::int64_t ms_of_ns(std::int64_t ns) noexcept { return ns / 1'000'000; }

}  // namespace seriatim::base
