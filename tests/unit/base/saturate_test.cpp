#include "base/saturate.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

namespace base = seriatim::base;
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

TEST_CASE("a sum stops at the limits of its type") {
  CHECK(base::saturating_add<std::int64_t>(2, 3) == 5);
  CHECK(base::saturating_add<std::int64_t>(largest, 1) == largest);
  CHECK(base::saturating_add(largest, largest) == largest);
  CHECK(base::saturating_add<std::int64_t>(smallest, -1) == smallest);
  CHECK(base::saturating_add(smallest, largest) == -1);
}

TEST_CASE("a difference stops at the limits of its type") {
  CHECK(base::saturating_sub<std::int64_t>(2, 3) == -1);
  CHECK(base::saturating_sub<std::int64_t>(-2, largest) == smallest);
  CHECK(base::saturating_sub<std::int64_t>(0, smallest) == largest);
  CHECK(base::saturating_sub(largest, largest) == 0);
}

TEST_CASE("a product stops at the limits of its type") {
  CHECK(base::saturating_mul<std::int64_t>(-4, 5) == -20);
  CHECK(base::saturating_mul<std::int64_t>(largest, 2) == largest);
  CHECK(base::saturating_mul<std::int64_t>(largest, -2) == smallest);
  CHECK(base::saturating_mul<std::int64_t>(smallest, -1) == largest);
}

TEST_CASE("the longest duration in milliseconds is the longest in nanoseconds, not a negative one") {
  CHECK(base::ns_of_ms(7) == 7'000'000);
  CHECK(base::ns_of_ms(largest) == largest);
  CHECK(base::ns_of_ms(smallest) == smallest);
}

}  // namespace
