// INV-4 for replays: whichever call of the file system fails, each letter is replayed once in the end.
#include "flow/dead_letters/dead_letter_replay_impl.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "base/clock.hpp"
#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/dead_letters/letters_fixture.hpp"

namespace seriatim::test {
namespace {

const std::vector<std::string> letter_values{"0", "1", "2", "3", "4"};  // NOLINT(cert-err58-cpp)

/// @return whether the fault was met.
bool attempt_replay(const std::string& directory, const Fault& fault) {
  FaultVfs vfs;
  const Engine engine = open_engine_with(directory, vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  create_topic(engine, "in");
  create_topic(engine, "in.DLQ");
  Producer producer = must(engine.producer());
  const std::vector<HeaderView> headers{{"__dlq.errors.topic", "in"}, {"__dlq.errors.partition", "0"}};
  for (const std::string& value : letter_values)
    must(producer.send_sync({.topic = "in.DLQ", .value = value, .headers = headers}));
  bool is_met = false;
  {
    DeadLetterReplay replay = must(DeadLetterReplay::open(engine, {.topic = "in.DLQ"}));
    vfs.arm(fault);
    // One failure, and the same step again.
    for (int i = 0; i < 4; ++i) static_cast<void>(replay.step(2).ok());
    is_met = vfs.met() > 0;
    vfs.heal();
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return is_met;
}

}  // namespace

TEST_CASE("INV-4: each letter is replayed once, whatever call fails") {
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    for (const bool for_ever : {false, true}) {
      std::int64_t met = 0;
      for (std::int64_t after = 0;; ++after) {
        const TempDir dir;
        const bool is_met = attempt_replay(dir / "data", {.calls = calls,
                                                          .error = calls == Calls::syncs ? EIO : ENOSPC,
                                                          .after = after,
                                                          .for_ever = for_ever});
        CAPTURE(static_cast<int>(calls));
        CAPTURE(after);
        const Engine engine = open_engine(dir / "data");
        DeadLetterReplay replay = must(DeadLetterReplay::open(engine, {.topic = "in.DLQ"}));
        const DeadLetterReplayStep step = must(replay.step(10));
        CHECK(step.replayed + step.replayed_before == letter_values.size());
        CHECK(committed_values(engine, "in") == letter_values);
        if (!is_met) break;
        ++met;
      }
      CHECK(met >= 1);
    }
  }
}

}  // namespace seriatim::test
