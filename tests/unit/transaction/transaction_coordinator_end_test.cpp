// The end of a transaction, step by step, and taken up again where it stopped.
#include <doctest/doctest.h>

#include <limits>
#include <thread>

#include "unit/transaction/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

/// Partition 0 is flushed behind every batch, which fails as long as `fails` says so.
struct FailingFlush : TransactionFixture {
  FailingFlush() : environment(world->environment) {
    environment.make_decisions_durable = [this](std::uint64_t) -> Result<> {
      if (!fails) return {};
      return Error(Errc::too_many_open_files, "none is left for the flush");
    };
    partition::PartitionRequest request{.name = {"flushed", 0}, .directory = temp / "flushed-0"};
    request.config.flush_messages = 1;
    partitions[0] = must(partition::Partition::open(environment, request));
  }

  bool fails = false;
  partition::PartitionEnvironment environment;
};

}  // namespace

TEST_CASE("INV-8: the last stable offsets of all partitions move at once, after the last marker") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number, 0);
  f.send(*holder, number, 1);
  std::atomic<bool> is_done{false};
  bool has_torn = false;
  std::thread looker([&] {
    while (!is_done.load()) {
      Offset first = 0;
      Offset second = 0;
      f.gate.look([&] {
        first = f.stable(0);
        second = f.stable(1);
      });
      has_torn |= (first == 0) != (second == 0);
    }
  });
  must(f.commit(*holder, number));
  is_done = true;
  looker.join();
  CHECK_FALSE(has_torn);
  CHECK(f.stable(0) == 2);
  CHECK(f.stable(1) == 2);
}

TEST_CASE(
    "a decision is in the journal behind everything that it decides on, and durable before it is applied") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  const auto sent = f.send(*holder, number);
  std::uint64_t applied_lsn = 0;
  bool was_durable = false;
  f.change_state(*holder, [&](std::uint64_t lsn) {
    applied_lsn = lsn;
    was_durable = f.journal->is_durable(lsn);
  });
  must(f.commit(*holder, number));
  CHECK(sent.lsn > 0);
  CHECK(applied_lsn > sent.lsn);
  CHECK(was_durable);
}

TEST_CASE("a decision without records is one, too; and what was given up is not the next transaction's") {
  TransactionFixture f;
  const auto holder = f.open();
  int applied = 0;
  const auto given_up = must(f.coordinator->begin(*holder));
  f.change_state(*holder, [&](std::uint64_t) { ++applied; });
  must(f.coordinator->abort(*holder, given_up));
  const auto empty = must(f.coordinator->begin(*holder));
  const auto staged = f.journal->stats().staged_lsn;
  must(f.commit(*holder, empty));
  CHECK(applied == 0);
  CHECK(f.journal->stats().staged_lsn == staged);
  const auto without_records = must(f.coordinator->begin(*holder));
  f.change_state(*holder, [&](std::uint64_t) { ++applied; });
  must(f.commit(*holder, without_records));
  CHECK(applied == 1);
  CHECK(f.journal->stats().durable_lsn == staged + 1);
}

TEST_CASE("at leader level a commit does not wait for the disk") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  const auto syncs = f.journal->stats().syncs;
  must(f.commit(*holder, number, partition::Durability::published));
  CHECK(f.journal->stats().syncs == syncs);
  CHECK(f.journal->stats().written_lsn >= 2);
  CHECK(f.stable(0) == 2);
}

TEST_CASE("a checkpoint may not cover a decision before its markers are in the logs") {
  TransactionFixture f;
  CHECK(f.coordinator->settled_lsn() == everything);
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  std::uint64_t settled = 0;
  std::uint64_t decision = 0;
  f.change_state(*holder, [&](std::uint64_t lsn) {
    decision = lsn;
    settled = f.coordinator->settled_lsn();
  });
  must(f.commit(*holder, number));
  CHECK(settled == decision - 1);
  CHECK(f.coordinator->settled_lsn() == everything);
}

TEST_CASE("a commit whose markers find no room is taken up again, by the caller or by the engine") {
  for (const bool by_engine : {true, false}) {
    TransactionFixture f;
    const auto holder = f.open();
    const auto number = must(f.coordinator->begin(*holder));
    f.send(*holder, number, 0);
    f.send(*holder, number, 1);
    // The log of the second is full: its marker needs a new segment, and there are no files to be had.
    auto config = f.partitions[1]->config();
    config.segment_bytes = 100;
    f.partitions[1]->set_config(config);
    must(f.partitions[1]->roll());
    f.send(*holder, number, 1);
    int applied = 0;
    f.world->clock.advance_ms(1);
    f.change_state(*holder, [&](std::uint64_t) {
      ++applied;
      f.vfs.fail_after(0, Errc::storage_full);
    });
    const auto committed = f.commit(*holder, number);
    REQUIRE_FALSE(committed);
    CHECK(committed.error().outcome() == Outcome::unknown);
    CHECK(f.reserves_spent == 1);
    CHECK(f.stable(0) == 0);
    CHECK(f.coordinator->settled_lsn() != everything);
    CHECK(code_of(f.coordinator->abort(*holder, number)) == Errc::invalid_txn_state);
    CHECK(code_of(f.coordinator->begin(*holder)) == Errc::concurrent_transactions);
    f.vfs.heal();
    if (by_engine) must(f.coordinator->advance());
    must(f.commit(*holder, number));
    CHECK(applied == 1);
    CHECK(f.stable(0) == f.partitions[0]->log_end_offset());
    CHECK(f.stable(1) == f.partitions[1]->log_end_offset());
    CHECK(f.coordinator->settled_lsn() == everything);
    CHECK(must(f.coordinator->begin(*holder)) > number);
  }
}

TEST_CASE("a transaction that is being worked with keeps no other from its time-out") {
  TransactionFixture f;
  const auto busy = f.open("busy", std::chrono::milliseconds(10));
  const auto other = f.open("other", std::chrono::milliseconds(10));
  must(f.coordinator->begin(*busy));
  must(f.coordinator->begin(*other));
  CHECK_FALSE(f.coordinator->needs_advancing());
  f.world->clock.advance_ms(10);
  {
    // As a commit holds it that waits for the disk.
    const base::MutexLock lock(busy->mutex);
    std::thread([&] {
      CHECK(f.coordinator->needs_advancing());
      must(f.coordinator->advance());
      CHECK_FALSE(f.coordinator->needs_advancing());
    }).join();
  }
  CHECK(f.phase_of("other") == Phase::empty);
  CHECK(f.phase_of("busy") == Phase::ongoing);
  CHECK(f.coordinator->needs_advancing());
  must(f.coordinator->advance());
  CHECK(f.phase_of("busy") == Phase::empty);
  CHECK_FALSE(f.coordinator->needs_advancing());
}

TEST_CASE("an abort whose markers find no room is taken up again by the engine") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  auto config = f.partitions[0]->config();
  config.segment_bytes = 100;
  f.partitions[0]->set_config(config);
  f.send(*holder, number);
  f.vfs.fail_after(0, Errc::storage_full);
  CHECK_FALSE(f.coordinator->abort(*holder, number).ok());
  CHECK(f.stable(0) == 0);
  CHECK(f.phase_of("id") == Phase::aborting);
  f.vfs.heal();
  must(f.coordinator->advance());
  CHECK(f.stable(0) == 2);
  CHECK(f.phase_of("id") == Phase::empty);
  must(f.coordinator->abort(*holder, number));
}

TEST_CASE("a flush that fails behind a marker is told, and holds back nothing of what is decided") {
  FailingFlush f;
  f.fails = true;
  const auto holder = f.open();
  auto number = must(f.coordinator->begin(*holder));
  for (const std::size_t at : {0, 1}) f.send(*holder, number, at);
  const auto committed = f.commit(*holder, number, partition::Durability::published);
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code() == Errc::too_many_open_files);
  CHECK(committed.error().outcome() == Outcome::unknown);
  CHECK(f.stable(0) == 2);
  CHECK(f.stable(1) == 2);
  must(f.commit(*holder, number, partition::Durability::published));

  number = must(f.coordinator->begin(*holder));
  f.fails = false;
  f.send(*holder, number);
  f.fails = true;
  CHECK(code_of(f.coordinator->abort(*holder, number)) == Errc::too_many_open_files);
  CHECK(f.stable(0) == 4);
  must(f.coordinator->abort(*holder, number));
  f.fails = false;
  must(f.coordinator->advance());
  CHECK(f.partitions[0]->log_end_offset() == 4);
}

TEST_CASE(
    "an append whose flush fails is there: the transaction can only be aborted, and is in its partition") {
  FailingFlush f;
  const auto holder = f.open();
  auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  must(f.commit(*holder, number, partition::Durability::published));
  number = must(f.coordinator->begin(*holder));
  f.fails = true;
  const auto sent = f.try_send(*holder, number);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().outcome() == Outcome::unknown);
  f.fails = false;
  CHECK(code_of(f.commit(*holder, number)) == Errc::transaction_abortable);
  must(f.coordinator->abort(*holder, number));
  CHECK(f.stable(0) == 4);
}

TEST_CASE("a journal without room gets some by a checkpoint") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  f.vfs.fail_after(0, Errc::storage_full);
  const auto committed = f.commit(*holder, number);
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code() == Errc::storage_full);
  CHECK(committed.error().outcome() == Outcome::unknown);
  CHECK(f.rooms_asked == 1);
  f.vfs.heal();
  must(f.commit(*holder, number));
  CHECK(f.stable(0) == 2);
}

TEST_CASE("a journal that has failed for good leaves the outcome to recovery") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  f.journal->fail(Error(Errc::storage_failed, "the disk is gone"));
  // Nothing was staged: it is not committed, and may be given up.
  CHECK(code_of(f.commit(*holder, number)) == Errc::storage_failed);
  CHECK(f.stable(0) == 0);
}

TEST_CASE("an abort wins over the time-out that comes later, and a time-out over a late commit") {
  TransactionFixture f;
  const auto holder = f.open("id", std::chrono::milliseconds(100));
  const auto first = must(f.coordinator->begin(*holder));
  f.send(*holder, first);
  must(f.coordinator->abort(*holder, first));
  f.world->clock.advance_ms(1'000);
  must(f.coordinator->advance());
  CHECK(code_of(f.commit(*holder, first)) == Errc::invalid_txn_state);
  const auto second = must(f.coordinator->begin(*holder));
  f.send(*holder, second);
  f.world->clock.advance_ms(100);
  CHECK(code_of(f.commit(*holder, second)) == Errc::transaction_abortable);
  CHECK(f.stable(0) == 4);
}

TEST_CASE("threads that end transactions of one id get one outcome each") {
  TransactionFixture f;
  const auto holder = f.open();
  for (int round = 0; round < 50; ++round) {
    const auto number = must(f.coordinator->begin(*holder));
    f.send(*holder, number);
    Result<> committed;
    Result<> aborted;
    std::thread committer([&] { committed = f.commit(*holder, number, partition::Durability::published); });
    std::thread aborter([&] { aborted = f.coordinator->abort(*holder, number); });
    committer.join();
    aborter.join();
    CHECK(committed.ok() != aborted.ok());
  }
}

}  // namespace seriatim::test
