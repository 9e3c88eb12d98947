#include "flow/retry/retry_policy.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace seriatim::flow {
namespace {

constexpr double multiplier_max = 1'000.0;                                  // arbitrary
constexpr std::chrono::milliseconds wait_max = std::chrono::hours(87'600);  // 3'650 days; arbitrary

// SplitMix64: near seeds give numbers that are far apart. 0 to below 1.
double fraction_of(std::uint64_t seed) {
  seed += 0x9E3779B97F4A7C15U;
  seed = (seed ^ (seed >> 30U)) * 0xBF58476D1CE4E5B9U;
  seed = (seed ^ (seed >> 27U)) * 0x94D049BB133111EBU;
  return static_cast<double>((seed ^ (seed >> 31U)) >> 11U) * 0x1.0p-53;
}

}  // namespace

Result<> check_policy(const RetryPolicy& policy) {
  if (policy.max_attempts == 0) {
    return Error(Errc::invalid_argument, "RetryPolicy::max_attempts is 0; it must be 1 or more");
  }
  if (policy.delay.count() < 0 || policy.delay_max < policy.delay || policy.delay_max > wait_max) {
    return Error(Errc::invalid_argument, "RetryPolicy::delay is " + std::to_string(policy.delay.count()) +
                                             " ms and delay_max " + std::to_string(policy.delay_max.count()) +
                                             " ms; it must be 0 <= delay <= delay_max <= 3'650 days");
  }
  // Not `<`: that would let a NaN through.
  if (!(policy.multiplier >= 1.0 && policy.multiplier <= multiplier_max)) {
    return Error(Errc::invalid_argument, "RetryPolicy::multiplier is " + std::to_string(policy.multiplier) +
                                             "; it must be 1 to 1'000");
  }
  if (!(policy.jitter >= 0.0 && policy.jitter <= 1.0)) {
    return Error(Errc::invalid_argument,
                 "RetryPolicy::jitter is " + std::to_string(policy.jitter) + "; it must be 0 to 1");
  }
  return {};
}

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, std::uint32_t attempt, std::uint64_t seed) {
  const auto longest = static_cast<double>(policy.delay_max.count());
  if (policy.delay.count() == 0) return policy.delay;
  // Infinite where it is more than a double has room for.
  const double grown = std::min(
      longest, static_cast<double>(policy.delay.count()) * std::pow(policy.multiplier, attempt - 1.0));
  const double shaken = grown * (1.0 + policy.jitter * (2.0 * fraction_of(seed + attempt) - 1.0));
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(longest, shaken)));
}

}  // namespace seriatim::flow
