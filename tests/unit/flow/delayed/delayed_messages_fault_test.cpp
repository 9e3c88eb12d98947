// INV-4 for delayed messages: whichever call of the file system fails while some are scheduled, moved,
// cancelled or delivered, in the end each was appended once if it was taken, and never if it was cancelled.
#include <seriatim/flow/delayed_messages.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

struct DelayedAttempt {
  bool is_met = false;
  Result<std::string> now = std::string();
  Result<bool> cancelled = false;
  Result<std::uint64_t> delivered = std::uint64_t{0};
};

DelayedMessages open_at(const Engine& engine, std::int64_t ms, Acks acks) {
  return must(detail::DelayedMessagesImpl::open(
      engine, {.name = "d", .acks = acks, .delivers_in_background = false}, [ms] { return at_ms(ms); }));
}

DelayedAttempt attempt_delayed(const std::string& directory, const Fault& fault, Acks acks) {
  FaultVfs vfs;
  DelayedAttempt attempt;
  const Engine engine = open_engine_with(directory, vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  create_topic(engine, "t");
  {
    DelayedMessages delayed = open_at(engine, 1'000, acks);
    must(delayed.schedule({.topic = "t", .value = "cancelled"}, 0ms, "cancelled"));
    must(delayed.schedule({.topic = "t", .value = "moved"}, 1h, "moved"));
    vfs.arm(fault);
    attempt.now = delayed.schedule({.topic = "t", .value = "now"}, 0ms);
    const auto is_moved = delayed.reschedule("moved", 0ms);
    attempt.cancelled = delayed.cancel("cancelled");
    attempt.delivered = delayed.deliver();
    attempt.is_met = vfs.met() > 0;
    vfs.heal();
    // It goes on where it can.
    const auto delivered_later = delayed.deliver();
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return attempt;
}

void check_end(const std::string& directory, const DelayedAttempt& tried) {
  const Engine engine = open_engine(directory);
  DelayedMessages delayed = open_at(engine, 10'000'000, Acks::all);
  must(delayed.deliver());
  CHECK(must(engine.admin().list_states()).empty());
  const DelayedValues values = committed_values(engine, "t");
  const auto times = [&](const char* value) { return std::count(values.begin(), values.end(), value); };
  CHECK(times("moved") == 1);
  CHECK(times("now") <= 1);
  if (tried.now) CHECK(times("now") == 1);
  if (!tried.now && tried.now.error().outcome() == Outcome::not_written) CHECK(times("now") == 0);
  CHECK(times("cancelled") <= 1);
  if (tried.cancelled) CHECK(times("cancelled") == (*tried.cancelled ? 0 : 1));
  if (!tried.cancelled && tried.cancelled.error().outcome() == Outcome::not_written)
    CHECK(times("cancelled") == 1);
}

}  // namespace

TEST_CASE("INV-4: delayed messages are delivered once or cancelled, whatever call fails") {
  for (const Acks acks : {Acks::all, Acks::leader}) {
    for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
      for (const bool for_ever : {false, true}) {
        std::int64_t met = 0;
        for (std::int64_t after = 0;; ++after) {
          const TempDir dir;
          const DelayedAttempt tried = attempt_delayed(dir / "data",
                                                       {.calls = calls,
                                                        .error = calls == Calls::syncs ? EIO : ENOSPC,
                                                        .after = after,
                                                        .for_ever = for_ever},
                                                       acks);
          CAPTURE(static_cast<int>(calls));
          CAPTURE(static_cast<int>(acks));
          CAPTURE(for_ever);
          CAPTURE(after);
          check_end(dir / "data", tried);
          if (!tried.is_met) {
            REQUIRE(tried.delivered);
            break;
          }
          ++met;
        }
        // To schedule, to move, to cancel and to deliver; `leader` stores into what is mapped, and syncs
        // nothing.
        const std::int64_t least = calls == Calls::syncs ? 0 : 1;
        CHECK(met >= (acks == Acks::leader ? least : 4));
      }
    }
  }
}

}  // namespace seriatim::test
