// Transactions as a reader in another process knows them.
#include <algorithm>

#include "unit/partition/tail/tailing_log_fixture.hpp"
#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("INV-8: a tailing log's last stable offset is the writer's, and it shows what was committed") {
  Random random("tailing log of transactions");
  Transactions f(1'500);
  TransactionModel model(f, random, 4);
  PartitionWorld other;
  const auto early = follow(other, f.request);
  for (int i = 0; i < 300; ++i) {
    model.step();
    if (random.one_in(25)) f.store_checkpoint();
    if (random.one_in(40)) {
      must(f.partition->advance_log_start(random.between(f.partition->log_start_offset(), f.stable())));
      must(f.partition->apply_retention());
    }
    if (!random.one_in(4)) continue;
    other.clock.advance_ms(random.one_in(3) ? 2'000 : 0);
    must(early->refresh());
    REQUIRE(early->last_stable_offset() == f.stable());
    const Offset from = std::max(early->log_start_offset(), f.partition->log_start_offset());
    const auto expected = model.shown();
    REQUIRE(committed_from(early, from, early->last_stable_offset()) == expected);
    PartitionWorld third;
    const auto late = follow(third, f.request);
    REQUIRE(late->last_stable_offset() == f.stable());
    REQUIRE(committed_from(late, std::max(late->log_start_offset(), from), late->last_stable_offset()) ==
            expected);
  }
  CHECK(f.world->counters.rolled_segments.value() > 5);
}

std::shared_ptr<partition::TailingLog> follow_stored(PartitionWorld& world, const Transactions& f) {
  return must(partition::TailingLog::open(
      world.environment, {.name = f.request.name, .directory = f.request.directory, .stored = [&f] {
                            return std::optional(f.request.checkpoint);
                          }}));
}

TEST_CASE("a durable reader beside is shown nothing of a commit that the recovery point does not cover") {
  Transactions f;
  PartitionWorld other;
  const auto tailing = follow_stored(other, f);
  f.put("k", "v");
  f.send(first_producer, 0, 0);
  f.store_checkpoint();
  must(tailing->reload());
  CHECK(tailing->durable_stable_offset() == 1);  // open
  f.end(ControlType::commit, first_producer, 1);
  must(tailing->reload());
  CHECK(tailing->last_stable_offset() == 3);
  CHECK(tailing->durable_stable_offset() == 1);
  PartitionWorld third;
  CHECK(follow_stored(third, f)->durable_stable_offset() == 1);
  f.store_checkpoint();
  f.put("k", "not durable yet");
  must(tailing->reload());
  CHECK(tailing->durable_stable_offset() == 3);
  CHECK(follow_stored(third, f)->durable_stable_offset() == 3);
}

TEST_CASE("INV-4: what a durable reader beside is shown is what the writer's checkpoint made durable") {
  Random random("durable tailing logs");
  Transactions f(1'500);
  TransactionModel model(f, random, 4);
  PartitionWorld other;
  const auto early = follow_stored(other, f);
  std::set<Offset> settled;
  std::set<Offset> may_be_shown;
  for (int i = 0; i < 300; ++i) {
    model.step();
    if (random.one_in(12)) {
      f.store_checkpoint();
      settled = model.shown();
      may_be_shown = model.all_shown();
    }
    PartitionWorld third;
    must(early->reload());
    for (const auto& tailing : {early, follow_stored(third, f)}) {
      REQUIRE(tailing->durable_stable_offset() <= f.request.checkpoint.recovery_point_offset);
      const auto shown = committed_from(tailing, 0, tailing->durable_stable_offset());
      REQUIRE(std::includes(shown.begin(), shown.end(), settled.begin(), settled.end()));
      REQUIRE(std::includes(may_be_shown.begin(), may_be_shown.end(), shown.begin(), shown.end()));
    }
  }
}

TEST_CASE("a tailing log that looks seldom remembers the aborts of the newest segments, not those of all") {
  Transactions f(1'500);
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  for (int round = 0; round < 3; ++round) {
    for (ProducerEpoch i = 0; i < 100; ++i) {
      f.send(first_producer + round, i, 0);
      f.end(ControlType::abort, first_producer + round, i);
    }
    must(tailing->reload());
    CHECK(tailing->remembered_aborts() <= 2 * 1'500 / 78);
    CHECK(committed_of(tailing).empty());
  }
}

TEST_CASE("a tailing log begins at the newest producer snapshot") {
  Transactions f(100'000);
  f.send(first_producer, 0, 0);
  f.put("k", "v");
  must(f.partition->roll());
  f.put("k", "behind the roll");
  // Were it to begin at the front, it would find nothing open in a batch that does not parse.
  overwrite(f.path(0), 0, std::string(100, 'x'));
  PartitionWorld other;
  CHECK(follow(other, f.request)->last_stable_offset() == 0);
}

TEST_CASE("without a snapshot, or with one that cannot be read, a tailing log begins at the front") {
  Transactions f(100'000);
  f.put("k", "v");
  f.send(first_producer, 0, 0);
  must(f.partition->roll());
  f.put("k", "behind the roll");
  overwrite(f.path(2, format::FileKind::snapshot), 0, "xx");
  PartitionWorld other;
  CHECK(follow(other, f.request)->last_stable_offset() == 1);
  std::filesystem::remove(f.path(2, format::FileKind::snapshot));
  PartitionWorld third;
  CHECK(follow(third, f.request)->last_stable_offset() == 1);
}

TEST_CASE("INV-8: a marker that is seen before the writer's index is taken for what it says") {
  Transactions f(100'000);
  const Offset aborted = f.send(first_producer, 0, 0);
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  f.end(ControlType::abort, first_producer, 1);
  f.put("k", "v");
  std::filesystem::remove(f.path(0, format::FileKind::transaction_index));
  must(tailing->refresh());
  CHECK(tailing->last_stable_offset() == 3);
  CHECK_FALSE(committed_of(tailing).contains(aborted));
}

TEST_CASE("INV-8: a tailing log's reader is told when its segment was replaced, and finds the new one") {
  Transactions f(600);
  f.request.config.cleanup_policy = CleanupPolicy::compact;
  f.partition->set_config(f.request.config);
  const Offset aborted = f.send(first_producer, 0, 0);
  f.end(ControlType::abort, first_producer, 1);
  for (int i = 0; i < 10; ++i) f.put("k", std::string(50, 'v'));
  f.seal_all();
  PartitionWorld other;
  const auto tailing = follow(other, f.request);
  partition::FetchCursor cursor(tailing);
  must(cursor.seek(aborted));
  partition::FetchedBatch batch;
  REQUIRE(must(cursor.peek(tailing->last_stable_offset(), true, batch)) ==
          partition::FetchCursor::Step::batch);
  f.compact({.force = true});
  partition::AbortedTransactions known(*tailing);
  const auto asked = known.contain(batch, aborted, tailing->last_stable_offset());
  REQUIRE_FALSE(asked);
  CHECK(asked.error().code() == Errc::not_found);
  must(tailing->reload());
  CHECK_FALSE(committed_of(tailing).contains(aborted));
}

}  // namespace
}  // namespace seriatim::test
