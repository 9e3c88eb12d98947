// INV-8 for deduplication: whichever call of the file system fails while a message is handled, in the end it
// has its effect once, if it is sent until it is taken.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "directory/background.hpp"
#include "support/fault_vfs.hpp"
#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

struct FaultyTry {
  bool is_met = false;
  bool is_done = false;        ///< The commit said yes.
  bool is_done_later = false;  ///< One of the repetitions found a duplicate, or was committed.
};

Engine open_small_engine(const std::string& directory, FaultVfs& vfs) {
  return open_engine_with(directory, vfs, base::system_clock(),
                          {.journal_max_bytes = 1U << 20U, .journal_file_bytes = 64U << 10U});
}

Result<bool> handle(Deduplicator& dedupe) {
  auto work = dedupe.begin();
  if (!work) return work.error();
  auto seen = work->once("id", [](Transaction& transaction) -> Result<std::optional<std::string>> {
    auto sent = transaction.send({.topic = "t", .value = "v"});
    if (!sent) return sent.error();
    return std::optional<std::string>("r");
  });
  if (!seen) return seen.error();
  auto committed = work->commit();
  if (!committed) return committed.error();
  CHECK(seen->result == "r");
  return seen->is_first;
}

FaultyTry try_with_fault(const std::string& directory, const Fault& fault) {
  FaultVfs vfs;
  FaultyTry tried;
  const Engine engine = open_small_engine(directory, vfs);
  // Of nothing but what is tried the fault is met.
  detail::EngineImpl::of(engine)->background->stop();
  create_topic(engine, "t");
  {
    Deduplicator dedupe = must(Deduplicator::open(engine, {.name = "shop", .sweeps_in_background = false}));
    vfs.arm(fault);
    tried.is_done = handle(dedupe).ok();
    tried.is_met = vfs.met() > 0;
    // The application sends again while the fault lasts, and once it is over.
    for (int i = 0; i < 3 && !fault.for_ever; ++i) tried.is_done_later |= handle(dedupe).ok();
    tried.is_done_later |= handle(dedupe).ok();
    vfs.heal();
    tried.is_done_later |= handle(dedupe).ok();
  }
  const auto closed = engine.close();  // After a failed sync it says so again.
  return tried;
}

}  // namespace

TEST_CASE("INV-8: a message has its effect once, whatever call fails while it is handled") {
  for (const Calls calls : {Calls::takes, Calls::changes, Calls::syncs}) {
    for (const bool for_ever : {false, true}) {
      std::int64_t met = 0;
      for (std::int64_t after = 0;; ++after) {
        const TempDir dir;
        const FaultyTry tried = try_with_fault(dir / "data", {.calls = calls,
                                                              .error = calls == Calls::syncs ? EIO : ENOSPC,
                                                              .after = after,
                                                              .for_ever = for_ever});
        CAPTURE(static_cast<int>(calls));
        CAPTURE(after);
        CAPTURE(for_ever);
        if (calls != Calls::syncs) CHECK(tried.is_done_later);
        const Engine engine = open_engine(dir / "data");
        const std::size_t records = committed_values(engine, "t").size();
        if (tried.is_done || tried.is_done_later) {
          CHECK(records == 1);
        } else {
          CHECK(records <= 1);
        }
        Deduplicator again = must(Deduplicator::open(engine, {.name = "shop"}));
        CHECK(must(handle(again)) == (records == 0));
        CHECK(committed_values(engine, "t").size() == 1);
        if (!tried.is_met) break;
        ++met;
      }
      CHECK(met >= 1);
    }
  }
}

TEST_CASE("a sweep on a full disk says so, and erases nothing that is in the window") {
  FaultVfs vfs;
  const TempDir dir;
  base::ManualClock clock{1'700'000'000'000};
  const Engine engine = open_small_engine(dir / "data", vfs);
  detail::EngineImpl::of(engine)->background->stop();
  create_topic(engine, "t");
  Deduplicator dedupe = must(detail::DeduplicatorImpl::open(
      engine, {.name = "shop", .window_count = 2, .sweeps_in_background = false},
      [&clock] { return Timestamp(std::chrono::milliseconds(clock.wall_ms())); }));
  for (const char* const id : {"a", "b", "c"}) CHECK(send_once(dedupe, id, id));
  vfs.arm({.calls = Calls::changes, .error = ENOSPC, .after = 0, .for_ever = true});
  CHECK(code_of(dedupe.sweep()) == Errc::storage_full);
  vfs.heal();
  must(dedupe.sweep());
  CHECK(dedupe.counts().ids == 2);
  CHECK_FALSE(send_once(dedupe, "b", "b"));
  CHECK_FALSE(send_once(dedupe, "c", "c"));
  CHECK(send_once(dedupe, "a", "a"));
}

}  // namespace seriatim::test
