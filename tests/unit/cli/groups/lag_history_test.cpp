#include "groups/lag_history.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

using std::chrono::seconds;

GroupLag lag_of(PartitionId partition, std::int64_t lag, Offset end) {
  return {.topic_partition = {"t", partition}, .end_offset = end, .lag = lag};
}

TEST_CASE("an estimate is of one group and partition, from the second look on") {
  LagHistory history(seconds(60));
  history.add("g", lag_of(0, 100, 100), seconds(0));
  CHECK_FALSE(history.estimate("g", {"t", 0}));
  history.add("g", lag_of(1, 7, 100), seconds(0));
  history.add("h", lag_of(0, 50, 100), seconds(0));
  history.add("g", lag_of(0, 80, 100), seconds(2));
  const auto estimate = history.estimate("g", {"t", 0});
  REQUIRE(estimate);
  CHECK(estimate->consumed_per_second == doctest::Approx(10));
  CHECK(estimate->time_left == seconds(8));
  CHECK_FALSE(history.estimate("g", {"t", 1}));
  CHECK_FALSE(history.estimate("h", {"t", 0}));
  CHECK_FALSE(history.estimate("g", {"u", 0}));
}

TEST_CASE("looks that are older than the window do not count any more") {
  LagHistory history(seconds(10));
  std::int64_t lag = 10'000;
  for (int second = 0; second <= 100; ++second) {
    history.add("g", lag_of(0, lag, 10'000), seconds(second));
    lag -= second < 50 ? 100 : 10;
  }
  CHECK(history.estimate("g", {"t", 0})->consumed_per_second == doctest::Approx(10));
}

TEST_CASE("looks that are further apart than the window count as they are") {
  LagHistory history(seconds(1));
  history.add("g", lag_of(0, 100, 100), seconds(0));
  history.add("g", lag_of(0, 50, 100), seconds(5));
  history.add("g", lag_of(0, 40, 100), seconds(10));
  CHECK(history.estimate("g", {"t", 0})->consumed_per_second == doctest::Approx(2));
}

}  // namespace
}  // namespace seriatim::cli
