#include "flow/retry/retry_policy.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::flow {
namespace {

using std::chrono::milliseconds;

TEST_CASE("waits of a retry are fixed, or grow to the longest") {
  const RetryPolicy fixed = RetryPolicy::fixed(milliseconds(70), 5);
  for (const std::uint32_t attempt : {1U, 2U, 4'000'000'000U})
    CHECK(retry_delay(fixed, attempt, attempt) == milliseconds(70));
  const RetryPolicy growing{.delay = milliseconds(100), .delay_max = milliseconds(1'000), .jitter = 0};
  CHECK(retry_delay(growing, 1, 0) == milliseconds(100));
  CHECK(retry_delay(growing, 2, 0) == milliseconds(200));
  CHECK(retry_delay(growing, 4, 0) == milliseconds(800));
  CHECK(retry_delay(growing, 5, 0) == milliseconds(1'000));
  CHECK(retry_delay(growing, 4'000'000'000U, 0) == milliseconds(1'000));
  const RetryPolicy none{.delay = milliseconds(0), .multiplier = 1'000};
  CHECK(retry_delay(none, 4'000'000'000U, 0) == milliseconds(0));
}

TEST_CASE("jitter spreads waits within its part of them, the same after a restart") {
  const RetryPolicy policy{.delay = milliseconds(1'000), .jitter = 0.25};
  std::set<milliseconds> waits;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const milliseconds wait = retry_delay(policy, 1, seed);
    CHECK(wait >= milliseconds(750));
    CHECK(wait <= milliseconds(1'250));
    CHECK(wait == retry_delay(policy, 1, seed));
    waits.insert(wait);
  }
  CHECK(waits.size() > 200);
  CHECK(*waits.begin() < milliseconds(800));
  CHECK(*waits.rbegin() > milliseconds(1'200));
  const RetryPolicy longest{.delay = milliseconds(1'000), .delay_max = milliseconds(1'000), .jitter = 1};
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    CHECK(retry_delay(longest, 1, seed) <= milliseconds(1'000));
}

TEST_CASE("a policy out of its ranges is refused by its member") {
  CHECK(check_policy({}));
  CHECK(check_policy({.max_attempts = 1, .delay = milliseconds(0), .delay_max = milliseconds(0)}));
  const auto refused = [](const RetryPolicy& policy, std::string_view member) {
    const auto checked = check_policy(policy);
    CHECK(test::code_of(checked) == Errc::invalid_argument);
    CHECK(test::message_of(checked).find(member) != std::string::npos);
  };
  refused({.max_attempts = 0}, "max_attempts");
  refused({.delay = milliseconds(-1)}, "delay");
  refused({.delay = milliseconds(2), .delay_max = milliseconds(1)}, "delay_max");
  refused({.delay_max = std::chrono::hours(87'601)}, "delay_max");
  refused({.multiplier = 0.9}, "multiplier");
  refused({.multiplier = std::numeric_limits<double>::quiet_NaN()}, "multiplier");
  refused({.jitter = 1.1}, "jitter");
  refused({.jitter = -0.1}, "jitter");
}

}  // namespace
}  // namespace seriatim::flow
