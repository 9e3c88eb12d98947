// INV-4 for half messages: whichever call of the file system fails while one is prepared or decided, in the
// end it was appended once if `prepare` said yes, and never if it said that nothing was written.
#include <seriatim/flow/half_message.hpp>

#include <doctest/doctest.h>

#include "directory/background.hpp"
#include "flow/half/half_messages_impl.hpp"
#include "support/fault_vfs.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

struct Attempt {
  bool is_met = false;
  Result<std::string> prepared = std::string();
  Result<HalfDecision> decided = HalfDecision::rolled_back;
};

Attempt attempt(const std::string& directory, const Fault& fault) {
  FaultVfs vfs;
  Attempt attempt;
  const Engine engine = open_engine_with(directory, vfs, base::system_clock(),
                                         {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  create_topic(engine, "t");
  {
    HalfMessages half = must(HalfMessages::open(engine, {.name = "shop", .checks_in_background = false}));
    vfs.arm(fault);
    const auto prepared = half.prepare({.topic = "t", .value = "v"});
    if (prepared) {
      attempt.prepared = prepared->id();
      attempt.decided = half.commit(prepared->id());
    } else {
      attempt.prepared = prepared.error();
    }
    attempt.is_met = vfs.met() > 0;
    vfs.heal();
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return attempt;
}

// The records after the next run, whose check finds that the other system has committed.
std::size_t records_in_the_end(const std::string& directory) {
  const Engine engine = open_engine(directory);
  // It has begun after the millisecond in which the last one ended.
  HalfMessages half = must(detail::HalfMessagesImpl::open(
      engine, {.name = "shop", .checks_in_background = false},
      [](const HalfMessage&) { return HalfVerdict::commit; },
      [] { return flow::system_time() + std::chrono::milliseconds(1); }));
  must(half.check());
  CHECK(must(half.list()).empty());
  return committed_values(engine, "t").size();
}

}  // namespace

TEST_CASE("INV-4: half messages are appended once or never, whatever call fails") {
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    for (const bool for_ever : {false, true}) {
      std::int64_t met = 0;
      for (std::int64_t after = 0;; ++after) {
        const TempDir dir;
        const Attempt tried = attempt(dir / "data", {.calls = calls,
                                                     .error = calls == Calls::syncs ? EIO : ENOSPC,
                                                     .after = after,
                                                     .for_ever = for_ever});
        CAPTURE(static_cast<int>(calls));
        CAPTURE(after);
        const std::size_t records = records_in_the_end(dir / "data");
        if (tried.prepared) {
          CHECK(records == 1);
        } else if (tried.prepared.error().outcome() == Outcome::not_written) {
          CHECK(records == 0);
        } else {
          CHECK(records <= 1);
        }
        if (!tried.is_met) {
          REQUIRE(tried.decided);
          break;
        }
        ++met;
      }
      CHECK(met >= 2);  // To prepare, and to decide.
    }
  }
}

}  // namespace seriatim::test
