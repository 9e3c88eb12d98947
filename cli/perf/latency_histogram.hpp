// Latencies in log-linear buckets: 64 to each power of two, so that a percentile is at most 1.6 % too large,
// whatever its size.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace seriatim::cli {

/// Threads: one at a time; merge per-thread histograms.
class LatencyHistogram {
 public:
  void record(std::chrono::nanoseconds latency) noexcept;
  void merge(const LatencyHistogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::chrono::nanoseconds max() const noexcept {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(max_));
  }
  std::chrono::nanoseconds mean() const noexcept;
  /// The smallest bucket end that `percent` of all latencies do not exceed; 0 if nothing was recorded.
  /// @param percent  0 .. 100.
  std::chrono::nanoseconds percentile(double percent) const noexcept;

 private:
  static constexpr unsigned linear_bits = 6;
  static constexpr std::size_t linear_count = std::size_t{1} << linear_bits;
  // Values below 2 * linear_count have a bucket each; every power of two above has linear_count of them.
  static constexpr std::size_t bucket_count = (64 - linear_bits) * linear_count + linear_count;

  static std::size_t bucket_of(std::uint64_t value) noexcept;
  static std::uint64_t last_value_of(std::size_t bucket) noexcept;

  std::array<std::uint64_t, bucket_count> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace seriatim::cli
