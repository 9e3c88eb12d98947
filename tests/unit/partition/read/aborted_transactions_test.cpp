#include "partition/read/aborted_transactions.hpp"

#include <algorithm>

#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::AbortedTransactions;
using partition::FetchCursor;
using partition::FetchedBatch;

TEST_CASE(
    "INV-8: of interleaved transactions over segments, exactly the committed ones are shown, from anywhere") {
  Random random("aborted_transactions");
  Transactions f(1'500);
  TransactionModel model(f, random, 4);
  for (int i = 0; i < 400; ++i) model.step();
  model.end_all();
  REQUIRE(f.segment_count() > 5);
  const auto& all = model.all_shown();
  for (int restart = 0; restart < 2; ++restart) {
    for (int look = 0; look < 60; ++look) {
      const Offset from = look == 0 ? 0 : random.between(0, f.stable() - 1);
      const Offset bound = look == 0 ? f.stable() : random.between(from + 1, f.stable());
      const std::set<Offset> expected(all.lower_bound(from), all.lower_bound(bound));
      REQUIRE(committed_from(f.partition, from, bound) == expected);
    }
    f.close();
    f.open();
  }
}

TEST_CASE(
    "INV-8: a committed record is shown and an aborted one is not, through rolls, compaction, retention and "
    "restarts") {
  Random random("transactions in a partition");
  for (int round = 0; round < 6; ++round) {
    const bool compacts = round % 2 == 1;
    Transactions f(1'000);
    f.request.config.cleanup_policy = compacts ? CleanupPolicy::compact_and_delete : CleanupPolicy::delete_;
    f.request.config.delete_retention_ms = 1'000;
    f.partition->set_config(f.request.config);
    TransactionModel model(f, random, 3);
    for (int i = 0; i < 250; ++i) {
      model.step();
      if (random.one_in(30)) f.seal_all();
      if (random.one_in(40)) {
        must(f.partition->advance_log_start(random.between(f.partition->log_start_offset(), f.stable())));
        must(f.partition->apply_retention());
      }
      if (compacts && random.one_in(40)) f.compact({.force = true});
      if (random.one_in(50)) f.world->clock.set_wall_ms(f.world->clock.wall_ms() + 2'000);
      if (random.one_in(60)) {
        f.request.checkpoint.log_start_offset = f.partition->log_start_offset();
        if (random.one_in(2)) {
          f.close();
          f.open();
        } else {
          f.reopen_after_crash();
        }
        f.request.checkpoint.clean_end_offset = -1;
      }
      REQUIRE(f.stable() == model.stable());
      const auto shown = committed_of(f.partition);
      const auto expected = model.shown();
      if (!compacts) REQUIRE(shown == expected);
      // Compaction takes what was superseded, and nothing else: the newest record of the one key is there.
      REQUIRE(std::includes(expected.begin(), expected.end(), shown.begin(), shown.end()));
      if (!expected.empty()) REQUIRE(shown.contains(*expected.rbegin()));
    }
  }
}

// One aborted record, and a cursor's view of it.
struct PinnedAbort {
  explicit PinnedAbort(Transactions& f) : cursor(f.partition), aborted(*f.partition) {
    const Offset at = f.send(first_producer, 0, 0);
    f.end(ControlType::abort, first_producer, 1);
    must(cursor.seek(at));
    REQUIRE(must(cursor.peek(f.stable(), true, batch)) == FetchCursor::Step::batch);
  }
  FetchCursor cursor;
  FetchedBatch batch{};
  AbortedTransactions aborted;
};

TEST_CASE("INV-8: what is known of a segment that retention deleted is not taken for nothing") {
  Transactions f(500);
  PinnedAbort pinned(f);
  for (int i = 0; i < 10; ++i) f.put("k", std::string(200, 'v'));
  must(f.partition->advance_log_start(f.stable()));
  must(f.partition->apply_retention());
  const auto asked = pinned.aborted.contain(pinned.batch, 0, f.stable());
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code() == Errc::not_found);
}

TEST_CASE("INV-8: what is known of a segment that compaction replaced is not taken for nothing") {
  Transactions f(500);
  auto config = f.partition->config();
  config.cleanup_policy = CleanupPolicy::compact;
  f.partition->set_config(config);
  PinnedAbort pinned(f);
  for (int i = 0; i < 10; ++i) f.put("k", std::string(100, 'v'));
  f.seal_all();
  REQUIRE(f.compact({.force = true}).ran);
  const auto asked = pinned.aborted.contain(pinned.batch, 0, f.stable());
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code() == Errc::not_found);
}

TEST_CASE("an answer stays right for what was asked about, without another look") {
  Transactions f(500);
  PinnedAbort pinned(f);
  CHECK(must(pinned.aborted.contain(pinned.batch, 0, f.stable())));
  for (int i = 0; i < 10; ++i) f.put("k", std::string(200, 'v'));
  must(f.partition->advance_log_start(f.stable()));
  must(f.partition->apply_retention());
  CHECK(must(pinned.aborted.contain(pinned.batch, 0, f.stable())));
}

}  // namespace
}  // namespace seriatim::test
