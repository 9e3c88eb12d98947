#include "perf/latency_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace seriatim::cli {

std::size_t LatencyHistogram::bucket_of(std::uint64_t value) noexcept {
  if (value < linear_count) return static_cast<std::size_t>(value);
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - linear_bits;
  return static_cast<std::size_t>(shift) * linear_count + static_cast<std::size_t>(value >> shift);
}

std::uint64_t LatencyHistogram::last_value_of(std::size_t bucket) noexcept {
  if (bucket < 2 * linear_count) return bucket;
  const std::size_t shift = bucket / linear_count - 1;
  const std::uint64_t mantissa = bucket - shift * linear_count;
  return ((mantissa + 1) << shift) - 1;
}

void LatencyHistogram::record(std::chrono::nanoseconds latency) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count()));
  ++buckets_[bucket_of(value)];
  ++count_;
  sum_ += value;
  max_ = std::max(max_, value);
}

void LatencyHistogram::merge(const LatencyHistogram& other) noexcept {
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) buckets_[bucket] += other.buckets_[bucket];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds LatencyHistogram::mean() const noexcept {
  return std::chrono::nanoseconds(count_ == 0 ? 0 : static_cast<std::int64_t>(sum_ / count_));
}

std::chrono::nanoseconds LatencyHistogram::percentile(double percent) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(
      std::ceil(static_cast<double>(count_) * std::clamp(percent, 0.0, 100.0) / 100.0));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted && seen > 0) {
      return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(last_value_of(bucket), max_)));
    }
  }
  return std::chrono::nanoseconds(0);
}

}  // namespace seriatim::cli
