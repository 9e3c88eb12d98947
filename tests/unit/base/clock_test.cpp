#include "base/clock.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace seriatim::base;

TEST_CASE("the system's wall clock counts milliseconds since 1970") {
  using namespace std::chrono;
  const auto before = floor<milliseconds>(system_clock::now()).time_since_epoch().count();
  const std::int64_t now = seriatim::base::system_clock().wall_ms();
  // Not after: the wall clock may be set back at any time. A day tells ms from s and from us all the same.
  CHECK(std::abs(now - before) < 86'400'000);
}

TEST_CASE("milliseconds that are read fast are the clock's own") {
  using namespace std::chrono;
  const auto wall = [] { return floor<milliseconds>(system_clock::now()).time_since_epoch().count(); };
  const auto steady = [] { return steady_clock::now().time_since_epoch(); };
  const Clock& clock = seriatim::base::system_clock();
  int compared = 0;
  const auto end = steady() + milliseconds(50);
  while (steady() < end) {
    const auto steady_before = steady();
    const std::int64_t before = wall();
    const std::int64_t now = clock.wall_ms();
    const std::int64_t after = wall();
    // Somebody set the clock: says nothing.
    const auto elapsed = duration_cast<milliseconds>(steady() - steady_before).count();
    if (after < before || after - before > elapsed + 1) continue;
    REQUIRE(now >= before);
    REQUIRE(now <= after);
    ++compared;
  }
  CHECK(compared > 0);
}

TEST_CASE("the monotonic clock never goes back") {
  const Clock& clock = seriatim::base::system_clock();
  std::int64_t last = clock.monotonic_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = clock.monotonic_ns();
    REQUIRE(now >= last);
    last = now;
  }
}

TEST_CASE("milliseconds of the monotonic clock are its own, at most one late, and never go back") {
  const Clock& clock = system_clock();
  std::int64_t last = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t before = clock.monotonic_ns() / 1'000'000;
    const std::int64_t now = clock.monotonic_ms();
    const std::int64_t after = clock.monotonic_ns() / 1'000'000;
    if (now < before - 1 || now > after || now < last) FAIL(before << ' ' << now << ' ' << after);
    last = now;
  }
  ManualClock manual;
  manual.advance_ms(7);
  CHECK(manual.monotonic_ms() == 7);
}

TEST_CASE("a manual clock moves only when told") {
  ManualClock clock(1000);
  CHECK(clock.wall_ms() == 1000);
  clock.advance_ms(5);
  CHECK(clock.wall_ms() == 1005);
  CHECK(clock.monotonic_ns() == 5'000'000);
}

TEST_CASE("setting a manual clock's wall time leaves the monotonic clock alone") {
  ManualClock clock(1000);
  clock.set_wall_ms(10);
  CHECK(clock.wall_ms() == 10);
  CHECK(clock.monotonic_ns() == 0);
}
