#include "flow/delayed/delayed_horizon.hpp"

#include <doctest/doctest.h>

#include "flow/delayed/delayed_codec.hpp"

namespace seriatim::flow {
namespace {

using std::chrono::milliseconds;

Timestamp time_at(std::int64_t count) { return Timestamp{milliseconds{count}}; }
DelayedPosition message_at(std::int64_t due) { return {.due = time_at(due), .id = "x"}; }
std::string floor_at(std::int64_t due) { return delayed_key({.due = time_at(due), .id = {}}); }

// One that found nothing to be due.
milliseconds pass_to(DelayedHorizon& horizon, std::int64_t now, std::optional<Timestamp> next = {}) {
  horizon.begin_pass();
  horizon.advance(floor_at(now));
  return horizon.end_pass(time_at(now), next);
}

}  // namespace

TEST_CASE("the background sleeps until the first message is due, and never for long") {
  DelayedHorizon horizon;
  CHECK(pass_to(horizon, 1'000) == delayed_look_every);
  CHECK(pass_to(horizon, 1'000, time_at(1'007)) == milliseconds(7));
  CHECK(pass_to(horizon, 1'000, time_at(900)) == milliseconds(0));
  CHECK(pass_to(horizon, 1'000, time_at(999'999)) == delayed_look_every);
}

TEST_CASE("who schedules wakes the background if nobody comes so soon") {
  DelayedHorizon horizon;
  pass_to(horizon, 1'000);
  CHECK_FALSE(horizon.note(message_at(1'100), time_at(1'000)));
  CHECK(horizon.note(message_at(1'050), time_at(1'000)) == milliseconds(50));
  CHECK_FALSE(horizon.note(message_at(1'060), time_at(1'000)));
  CHECK(horizon.note(message_at(500), time_at(1'000)) == milliseconds(0));
}

TEST_CASE("a pass that is under way ends in time for all that was scheduled meanwhile") {
  DelayedHorizon horizon;
  pass_to(horizon, 1'000);
  horizon.begin_pass();
  CHECK_FALSE(horizon.note(message_at(1'020), time_at(1'010)));
  CHECK(horizon.end_pass(time_at(1'015), std::nullopt) == milliseconds(5));
}

TEST_CASE("a pass looks from where the one before ended, or from an earlier message") {
  DelayedHorizon horizon;
  CHECK(horizon.begin_pass().empty());
  horizon.advance(floor_at(1'000));
  horizon.end_pass(time_at(1'000), std::nullopt);
  CHECK(horizon.begin_pass() == floor_at(1'000));
  horizon.end_pass(time_at(1'000), std::nullopt);
  horizon.note(message_at(2'000), time_at(1'000));
  CHECK(horizon.begin_pass() == floor_at(1'000));
  horizon.end_pass(time_at(1'000), std::nullopt);
  horizon.note(message_at(300), time_at(1'000));
  horizon.note(message_at(200), time_at(1'000));
  horizon.note(message_at(400), time_at(1'000));
  CHECK(horizon.begin_pass() == delayed_key(message_at(200)));
  horizon.end_pass(time_at(1'000), std::nullopt);
  horizon.want_all();
  CHECK(horizon.begin_pass().empty());
}

TEST_CASE("a message that is scheduled behind the back of a pass is found by the next one") {
  DelayedHorizon horizon;
  pass_to(horizon, 1'000);
  horizon.begin_pass();
  // The pass has looked there already.
  horizon.note(message_at(1'500), time_at(2'000));
  horizon.advance(floor_at(2'000));
  horizon.end_pass(time_at(2'000), std::nullopt);
  CHECK(horizon.begin_pass() == delayed_key(message_at(1'500)));
}

TEST_CASE("after a pass that was not through nobody is woken: the next one comes anyway") {
  DelayedHorizon horizon;
  horizon.begin_pass();
  horizon.break_pass();
  CHECK_FALSE(horizon.note(message_at(5), time_at(1'000)));
}

}  // namespace seriatim::flow
