#include "directory/upkeep/work_pace.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

TEST_CASE("without a limit, bytes cost nothing") {
  const base::ManualClock clock;
  WorkPace pace(clock, 0);
  for (int i = 0; i < 100; ++i) CHECK(pace.spend(UINT64_MAX));
}

TEST_CASE("what was spent is earned by the clock, at so many bytes a second") {
  base::ManualClock clock;
  WorkPace pace(clock, 1'000'000);
  // A twentieth of a second is lent.
  CHECK(pace.spend(50'000));
  CHECK_FALSE(pace.spend(450'000));
  clock.advance_ms(449);
  CHECK_FALSE(pace.spend(0));
  clock.advance_ms(1);
  CHECK(pace.spend(0));
  // Unspent bytes are not saved up.
  clock.advance_ms(1'000'000);
  CHECK_FALSE(pace.spend(100'000));
}

TEST_CASE("a sum beyond the clock's range waits, and does not come round") {
  base::ManualClock clock;
  WorkPace pace(clock, 1);
  CHECK_FALSE(pace.spend(UINT64_MAX));
  CHECK_FALSE(pace.spend(UINT64_MAX));
  clock.advance_ms(1'000'000'000);
  CHECK_FALSE(pace.spend(0));
}

TEST_CASE("a pause ends what runs, waits for it, and lets nothing begin") {
  const base::ManualClock clock;
  WorkPace pace(clock, 0);
  std::atomic<bool> has_paused{false};
  std::atomic<bool> is_paused_early{false};
  std::thread other;
  {
    const WorkPace::Pass pass(pace);
    REQUIRE(pass.is_allowed());
    other = std::thread([&] {
      pace.pause();
      has_paused = true;
    });
    CHECK(test::comes_true([&] { return !pace.may_go_on(); }));
    is_paused_early = has_paused.load();
  }
  other.join();
  CHECK_FALSE(is_paused_early);
  CHECK(pace.is_paused());
  CHECK_FALSE(WorkPace::Pass(pace).is_allowed());
  pace.pause();
  pace.resume();
  CHECK(WorkPace::Pass(pace).is_allowed());
  pace.stop();
  CHECK_FALSE(pace.may_go_on());
  CHECK_FALSE(WorkPace::Pass(pace).is_allowed());
}

}  // namespace
}  // namespace seriatim::directory
