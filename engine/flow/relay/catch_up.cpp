#include <seriatim/flow/catch_up.hpp>

#include <algorithm>
#include <cstdint>

namespace seriatim {
inline namespace v0 {
namespace {

constexpr double century_seconds = 100.0 * 365 * 24 * 3'600;  // Its nanoseconds are in the range of 64 bits.

double per_second(double difference, double seconds) noexcept { return std::max(difference / seconds, 0.0); }

}  // namespace

std::optional<CatchUpEstimate> catch_up_estimate(std::span<const LagSample> samples) noexcept {
  if (samples.empty()) return std::nullopt;
  const LagSample& first = samples.front();
  const LagSample& last = samples.back();
  const double seconds = std::chrono::duration<double>(last.time - first.time).count();
  if (seconds <= 0) return std::nullopt;
  const double produced = static_cast<double>(last.end) - static_cast<double>(first.end);
  const double left = static_cast<double>(last.lag);
  const double gained = static_cast<double>(first.lag) - left;
  CatchUpEstimate estimate{.consumed_per_second = per_second(produced + gained, seconds),
                           .produced_per_second = per_second(produced, seconds)};
  if (last.lag <= 0) {
    estimate.time_left = std::chrono::nanoseconds(0);
  } else if (gained > 0 && left * seconds < century_seconds * gained) {
    const std::chrono::duration<double> time_left(left * seconds / gained);
    estimate.time_left = std::chrono::duration_cast<std::chrono::nanoseconds>(time_left);
  }
  return estimate;
}

LagSample lag_sample(std::span<const GroupLag> lags, std::chrono::nanoseconds time) noexcept {
  LagSample sample{.time = time};
  for (const GroupLag& one : lags) {
    if (one.lag < 0) continue;
    sample.lag += one.lag;
    sample.end += one.end_offset;
  }
  return sample;
}

}  // namespace v0
}  // namespace seriatim
