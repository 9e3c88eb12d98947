#include "transaction/transaction_coordinator.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "catalog/catalog.hpp"
#include "unit/transaction/transaction_fixture.hpp"

namespace seriatim::test {

TEST_CASE("a new id gets a new producer id and epoch 0, a known one its own with the next epoch") {
  TransactionFixture f;
  f.coordinator->restore("old", {.producer_id = 77, .producer_epoch = 4, .timeout_ms = 1'000});
  const auto fresh = f.open("new");
  const auto known = f.open("old");
  CHECK(fresh->identity() == transaction::ProducerIdAndEpoch{first_producer, 0});
  CHECK(known->identity() == transaction::ProducerIdAndEpoch{77, 5});
}

TEST_CASE("what the catalog has to store is told until it is stored") {
  TransactionFixture f;
  const auto holder = f.open("id", std::chrono::seconds(3));
  CHECK(f.stored["id"].producer_id == first_producer);
  CHECK(f.stored["id"].producer_epoch == 0);
  CHECK(f.stored["id"].timeout_ms == 3'000);
  CHECK(f.coordinator->changed_ids().empty());
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  must(f.commit(*holder, number));
  const auto news = f.coordinator->changed_ids();
  REQUIRE(news.size() == 1);
  CHECK(news[0].first == "id");
  CHECK(news[0].second.producer_epoch == 1);
  CHECK(news[0].second.timeout_ms == 3'000);
  CHECK(f.coordinator->changed_ids().size() == 1);
  f.coordinator->mark_stored(news);
  CHECK(f.coordinator->changed_ids().empty());
}

TEST_CASE("no time-out is too long to be stored") {
  TransactionFixture f;
  for (const auto days : {24, 25, 50}) {
    const auto holder = f.open("id", std::chrono::hours(24 * days));
    CHECK(catalog::check_transactional_id("id", f.stored["id"]).ok());
  }
}

TEST_CASE("what a transaction may decide on is bounded when it is added, and it goes on as it was") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.change_state(*holder, [](std::uint64_t) {});
  f.send(*holder, number);
  const base::MutexLock lock(holder->mutex);
  const std::int64_t taken = 34 + 2 + 36 + 10;  // the decision with its id, a partition, a key of a state
  CHECK(f.coordinator->check_room(*holder, 4'096 - taken).ok());
  const auto refused = f.coordinator->check_room(*holder, 4'097 - taken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::record_too_large);
  CHECK(refused.error().message().find("transaction_max_bytes") != std::string::npos);
}

TEST_CASE("an id that cannot be stored has no new holder: the older one goes on with what it has open") {
  TransactionFixture f;
  const auto older = f.open();
  const auto number = must(f.coordinator->begin(*older));
  f.send(*older, number);
  f.store_failure = Error(Errc::storage_full, "no room for it");
  CHECK(code_of(f.coordinator->open("id", std::chrono::minutes(1))) == Errc::storage_full);
  CHECK(code_of(f.coordinator->open("new", std::chrono::minutes(1))) == Errc::storage_full);
  CHECK(f.coordinator->list().size() == 1);
  f.send(*older, number);
  must(f.commit(*older, number));
  must(f.coordinator->begin(*older));
  f.store_failure.reset();
  const auto newer = f.open();
  CHECK(newer->identity().epoch > older->identity().epoch);
  CHECK(f.stored["id"].producer_epoch == newer->identity().epoch);
  CHECK(code_of(f.coordinator->begin(*older)) == Errc::producer_fenced);
}

TEST_CASE("an append carries the transaction's identity, and sequences from 0 in each partition") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  CHECK(f.send(*holder, number, 0).base_offset == 0);
  CHECK(f.send(*holder, number, 0).base_offset == 1);
  CHECK(f.send(*holder, number, 1).base_offset == 0);
  const auto first = f.partitions[0]->producer(first_producer);
  REQUIRE(first);
  CHECK(first->epoch == 0);
  CHECK(first->batches.newest().last_sequence == 1);
  CHECK(first->open_first_offset == 0);
  CHECK(f.partitions[1]->producer(first_producer)->batches.newest().last_sequence == 0);
  CHECK(f.stable(0) == 0);
}

TEST_CASE("an append whose frame or partition refuses it leaves the transaction as it was") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  format::FrameOptions options;
  const auto refused =
      f.coordinator->append(*holder, number,
                            {.partition = *f.partitions[0],
                             .topic_id = f.topic_id,
                             .options = options,
                             .frame = [](const format::FrameOptions&, format::FramedBatch&) -> Result<> {
                               return Error(Errc::invalid_record, "not this one");
                             }});
  CHECK(code_of(refused) == Errc::invalid_record);
  CHECK(f.coordinator->list()[0].partitions.empty());
  f.send(*holder, number, 1);
  must(f.commit(*holder, number));
  CHECK(f.stable(1) == 2);
  CHECK(f.partitions[0]->log_end_offset() == 0);
}

TEST_CASE("an append of unknown outcome makes a commit impossible") {
  TransactionFixture f;
  auto config = f.partitions[0]->config();
  config.flush_messages = 1;  // what is appended is synced at once
  f.partitions[0]->set_config(config);
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  f.vfs.fail_after(0);
  const auto appended = f.try_send(*holder, number);
  f.vfs.heal();
  REQUIRE_FALSE(appended);
  CHECK(appended.error().outcome() == Outcome::unknown);
  CHECK(code_of(f.try_send(*holder, number, 1)) == Errc::transaction_abortable);
  CHECK(code_of(f.commit(*holder, number)) == Errc::transaction_abortable);
  // A sync that failed is final: recovery aborts it.
  CHECK(code_of(f.coordinator->abort(*holder, number)) == Errc::storage_failed);
  CHECK(f.stable(0) == 0);
}

TEST_CASE("list tells who has what open, since when") {
  TransactionFixture f;
  f.coordinator->restore("asleep", {.producer_id = 77, .producer_epoch = 4, .timeout_ms = 1'000});
  const auto holder = f.open("busy");
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number, 1);
  const auto all = f.coordinator->list();
  REQUIRE(all.size() == 2);
  CHECK(all[0].transactional_id == "asleep");
  CHECK(all[0].phase == Phase::empty);
  CHECK(all[0].started_ms == -1);
  CHECK(all[1].phase == Phase::ongoing);
  CHECK(all[1].started_ms == f.world->clock.wall_ms());
  REQUIRE(all[1].partitions.size() == 1);
  CHECK(all[1].partitions[0] == TopicPartition{"topic", 1});
}

TEST_CASE("an administrator's abort reaches the handle as abortable, an unknown id is an error") {
  TransactionFixture f;
  f.coordinator->restore("asleep", {.producer_id = 77, .producer_epoch = 4, .timeout_ms = 1'000});
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  must(f.coordinator->abort_by_id("id"));
  must(f.coordinator->abort_by_id("asleep"));
  CHECK(code_of(f.coordinator->abort_by_id("none")) == Errc::transactional_id_not_found);
  CHECK(code_of(f.try_send(*holder, number)) == Errc::transaction_abortable);
  CHECK(code_of(f.commit(*holder, number)) == Errc::transaction_abortable);
  must(f.coordinator->abort(*holder, number));
  CHECK(f.stable(0) == 2);
}

TEST_CASE("once everything was ended for a close, nothing more is written") {
  TransactionFixture f;
  const auto holder = f.open();
  const auto number = must(f.coordinator->begin(*holder));
  f.send(*holder, number);
  must(f.coordinator->end_all());
  CHECK(f.stable(0) == 2);
  CHECK(code_of(f.try_send(*holder, number)) == Errc::closed);
  const auto late = must(f.coordinator->begin(*holder));
  CHECK(code_of(f.try_send(*holder, late)) == Errc::closed);
  CHECK(f.partitions[0]->log_end_offset() == 2);
}

TEST_CASE("only ids that nobody holds and nobody has used since are forgotten") {
  TransactionFixture f;
  f.coordinator->restore("old", {.producer_id = 77, .last_used_ms = 10});
  f.coordinator->restore("newer", {.producer_id = 78, .last_used_ms = 20});
  f.coordinator->restore("held", {.producer_id = 79, .last_used_ms = 10});
  const auto holder = f.open("held");
  CHECK(f.coordinator->forget_unused(15) == std::vector<std::string>{"old"});
  CHECK(f.coordinator->list().size() == 2);
}

}  // namespace seriatim::test
