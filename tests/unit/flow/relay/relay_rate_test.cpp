#include "flow/relay/relay_rate.hpp"

#include <doctest/doctest.h>

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LagSample sample_at(std::chrono::nanoseconds time, std::int64_t lag) {
  return {.time = time, .lag = lag, .end = 100'000};
}

}  // namespace

TEST_CASE("rates of a relay are those of the last ten seconds") {
  detail::RelayRate rate;
  RelayProgress progress;
  rate.add(sample_at(seconds(0), 100'000), progress);
  CHECK(progress.lag == 100'000);
  CHECK(progress.records_per_second == 0);
  CHECK_FALSE(progress.time_left);
  for (int second = 1; second <= 30; ++second) {
    const int more = second <= 20 ? 10 : 1'000;
    progress.records += static_cast<std::uint64_t>(more);
    progress.bytes += static_cast<std::uint64_t>(more) * 100;
    rate.add(sample_at(seconds(second), 100'000 - static_cast<std::int64_t>(progress.records)), progress);
    if (second == 20) CHECK(progress.records_per_second == doctest::Approx(10));
  }
  CHECK(progress.records_per_second == doctest::Approx(1'000));
  CHECK(progress.bytes_per_second == doctest::Approx(100'000));
  REQUIRE(progress.time_left);
  CHECK(std::chrono::duration<double>(*progress.time_left).count() ==
        doctest::Approx((100'000 - 10'200) / 1'000.0));
}

TEST_CASE("samples that are close together count as the last of them") {
  detail::RelayRate rate;
  RelayProgress progress;
  CHECK(rate.is_due(seconds(0)));
  rate.add(sample_at(seconds(0), 1'000), progress);
  CHECK_FALSE(rate.is_due(milliseconds(99)));
  CHECK(rate.is_due(milliseconds(100)));
  for (int i = 1; i <= 5'000; ++i) {
    ++progress.records;
    rate.add(sample_at(milliseconds(i), 1'000), progress);
  }
  CHECK(progress.records_per_second == doctest::Approx(1'000));
  CHECK_FALSE(rate.is_due(milliseconds(5'001)));
}

TEST_CASE("a relay that gains nothing has no time left") {
  detail::RelayRate rate;
  RelayProgress progress;
  rate.add(sample_at(seconds(0), 10), progress);
  rate.add(sample_at(seconds(1), 5), progress);
  CHECK(progress.time_left == seconds(1));
  rate.add(sample_at(seconds(2), 20), progress);
  CHECK_FALSE(progress.time_left);
}

}  // namespace seriatim::test
