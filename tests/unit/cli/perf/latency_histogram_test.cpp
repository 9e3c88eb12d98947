#include "perf/latency_histogram.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

using std::chrono::nanoseconds;

TEST_CASE("an empty histogram answers zero") {
  const LatencyHistogram histogram;
  CHECK(histogram.percentile(50) == nanoseconds(0));
  CHECK(histogram.max() == nanoseconds(0));
  CHECK(histogram.mean() == nanoseconds(0));
}

TEST_CASE("every value from zero to the largest has a bucket") {
  LatencyHistogram histogram;
  for (unsigned shift = 0; shift < 63; ++shift) {
    for (const std::int64_t offset : {-1, 0, 1})
      histogram.record(nanoseconds((std::int64_t{1} << shift) + offset));
  }
  histogram.record(nanoseconds(std::numeric_limits<std::int64_t>::max()));
  histogram.record(nanoseconds(-5));
  CHECK(histogram.count() == 63 * 3 + 2);
  CHECK(histogram.percentile(100) == nanoseconds(std::numeric_limits<std::int64_t>::max()));
  CHECK(histogram.percentile(0) == nanoseconds(0));
}

TEST_CASE("a percentile is the value that sorting would find, at most a sixty-fourth too large") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> values(10'000);
  LatencyHistogram histogram;
  for (std::int64_t& value : values) {
    value = static_cast<std::int64_t>(random() >> (1 + random() % 62));
    histogram.record(nanoseconds(value));
  }
  std::sort(values.begin(), values.end());
  for (const std::size_t rank : std::vector<std::size_t>{1, 100, 5'000, 9'000, 9'900, 9'990, 9'999, 10'000}) {
    CAPTURE(rank);
    const std::int64_t exact = values[rank - 1];
    const std::int64_t found = histogram.percentile(static_cast<double>(rank) / 100).count();
    CHECK(found >= exact);
    CHECK(static_cast<double>(found) <= static_cast<double>(exact) * (1 + 1.0 / 64));
  }
}

TEST_CASE("merged histograms answer as one") {
  LatencyHistogram low;
  LatencyHistogram high;
  for (int i = 0; i < 90; ++i) low.record(nanoseconds(10));
  for (int i = 0; i < 10; ++i) high.record(nanoseconds(50));
  low.merge(high);
  CHECK(low.count() == 100);
  CHECK(low.percentile(90) == nanoseconds(10));
  CHECK(low.percentile(91) == nanoseconds(50));
  CHECK(low.max() == nanoseconds(50));
  CHECK(low.mean() == nanoseconds(14));
}

}  // namespace
}  // namespace seriatim::cli
