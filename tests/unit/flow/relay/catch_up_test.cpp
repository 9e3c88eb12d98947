// `catch_up_estimate` and `lag_sample`.
#include <seriatim/flow/catch_up.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace seriatim::test {
namespace {

using std::chrono::seconds;

}  // namespace

TEST_CASE("the time to catch up follows from what is consumed and produced") {
  // 1'000 a second are written, 3'000 read: 2'000 a second are gained, of 10'000.
  const std::vector<LagSample> samples{{.time = seconds(5), .lag = 30'000, .end = 100'000},
                                       {.time = seconds(7), .lag = 99, .end = 100},  // only the ends count
                                       {.time = seconds(15), .lag = 10'000, .end = 110'000}};
  const auto estimate = catch_up_estimate(samples);
  REQUIRE(estimate);
  CHECK(estimate->consumed_per_second == doctest::Approx(3'000));
  CHECK(estimate->produced_per_second == doctest::Approx(1'000));
  REQUIRE(estimate->time_left);
  CHECK(std::chrono::duration<double>(*estimate->time_left).count() == doctest::Approx(5));
}

TEST_CASE("a reader that gains nothing never catches up, and one that has is there") {
  const auto estimate = [](std::int64_t before, std::int64_t after, std::int64_t produced) {
    return catch_up_estimate(
        std::vector<LagSample>{{.time = seconds(0), .lag = before, .end = 1'000},
                               {.time = seconds(1), .lag = after, .end = 1'000 + produced}});
  };
  CHECK_FALSE(estimate(100, 100, 50)->time_left);  // as fast as it is written
  CHECK(estimate(100, 100, 50)->consumed_per_second == doctest::Approx(50));
  CHECK_FALSE(estimate(100, 150, 50)->time_left);  // stands still
  CHECK(estimate(100, 150, 50)->consumed_per_second == 0);
  CHECK_FALSE(estimate(100, 400, 50)->time_left);  // was set back
  CHECK(estimate(100, 400, 50)->consumed_per_second == 0);
  CHECK(estimate(100, 0, 50)->time_left == seconds(0));
  CHECK(estimate(0, 0, 0)->time_left == seconds(0));
  CHECK(estimate(100, 50, -2'000)->produced_per_second == 0);  // a partition is gone
}

TEST_CASE("a time that no clock has is never") {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const auto estimate = catch_up_estimate(
      std::vector<LagSample>{{.time = seconds(0), .lag = largest, .end = largest},
                             {.time = seconds(1), .lag = largest / 2 * 2 - 2'000, .end = largest}});
  REQUIRE(estimate);
  CHECK_FALSE(estimate->time_left);
  const auto slow = catch_up_estimate(
      std::vector<LagSample>{{.time = seconds(0), .lag = largest / 2, .end = 0},
                             {.time = seconds(100'000), .lag = largest / 2 - 5'000, .end = 0}});
  REQUIRE(slow);
  CHECK_FALSE(slow->time_left);
}

TEST_CASE("fewer than two moments estimate nothing") {
  CHECK_FALSE(catch_up_estimate({}));
  const std::vector<LagSample> one{{.time = seconds(1), .lag = 5, .end = 5}};
  CHECK_FALSE(catch_up_estimate(one));
  const std::vector<LagSample> at_once{one.front(), {.time = seconds(1), .lag = 4, .end = 5}};
  CHECK_FALSE(catch_up_estimate(at_once));
  const std::vector<LagSample> backwards{one.front(), {.time = seconds(0), .lag = 4, .end = 5}};
  CHECK_FALSE(catch_up_estimate(backwards));
}

TEST_CASE("a sample adds partitions up, and leaves out those that cannot be read") {
  const std::vector<GroupLag> lags{{.topic_partition = {"t", 0}, .end_offset = 100, .lag = 10},
                                   {.topic_partition = {"t", 1}},
                                   {.topic_partition = {"u", 0}, .end_offset = 7, .lag = 3}};
  const LagSample sample = lag_sample(lags, seconds(9));
  CHECK(sample.time == seconds(9));
  CHECK(sample.lag == 13);
  CHECK(sample.end == 107);
}

}  // namespace seriatim::test
