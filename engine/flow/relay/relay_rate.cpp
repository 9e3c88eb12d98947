#include "flow/relay/relay_rate.hpp"

#include <array>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::chrono::nanoseconds window = std::chrono::seconds(10);
constexpr std::chrono::nanoseconds between_samples = std::chrono::milliseconds(100);

}  // namespace

bool RelayRate::is_due(std::chrono::nanoseconds now) const noexcept {
  return samples_.empty() || now - samples_.back().lag.time >= between_samples;
}

void RelayRate::add(const LagSample& sample, RelayProgress& progress) {
  const Sample added{.lag = sample, .records = progress.records, .bytes = progress.bytes};
  const bool is_close =
      samples_.size() > 1 && sample.time - samples_[samples_.size() - 2].lag.time < between_samples;
  if (is_close) samples_.pop_back();
  samples_.push_back(added);
  // One that is older than the window is the beginning of it.
  while (samples_.size() > 2 && sample.time - samples_[1].lag.time >= window) samples_.pop_front();
  const Sample& first = samples_.front();
  progress.lag = sample.lag;
  const auto estimate = catch_up_estimate(std::array{first.lag, sample});
  if (!estimate) return;
  const double seconds = std::chrono::duration<double>(sample.time - first.lag.time).count();
  progress.records_per_second = static_cast<double>(progress.records - first.records) / seconds;
  progress.bytes_per_second = static_cast<double>(progress.bytes - first.bytes) / seconds;
  progress.time_left = estimate->time_left;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
