// Transactions as a consumer sees them that is shown only what is durable.
#include <seriatim/transaction.hpp>

#include <doctest/doctest.h>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("INV-8: who is shown only what is durable sees a durable commit at once, in every partition") {
  TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "out", 3);
  Consumer consumer = must(engine.consumer({.visibility = Visibility::durable}));
  must(consumer.assign_topic("out"));
  TransactionalProducer producer = transactional(engine);
  for (int round = 0; round < 5; ++round) {
    Transaction transaction = must(producer.begin());
    for (PartitionId p = 0; p < 3; ++p) send(transaction, "out", "v", p);
    CHECK(must(consumer.poll(std::chrono::milliseconds(0))).empty());
    must(transaction.commit());
    CHECK(must(consumer.poll(std::chrono::milliseconds(0))).count() == 3);
  }
}

TEST_CASE(
    "INV-4: who is shown only what is durable sees nothing of a commit at leader that may be taken back") {
  TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "out", 2);
  const auto sync = [&](PartitionId p) {
    must(must(::seriatim::detail::EngineImpl::of(engine)->partition("out", p))->sync());
  };
  Consumer durable = must(engine.consumer({.visibility = Visibility::durable}));
  must(durable.assign_topic("out"));
  Consumer published = must(engine.consumer());
  must(published.assign_topic("out"));
  const auto count = [](Consumer& consumer) {
    return must(consumer.poll(std::chrono::milliseconds(0))).count();
  };
  TransactionalProducer producer = transactional(engine, "worker", Acks::leader);
  for (int round = 0; round < 3; ++round) {
    Transaction transaction = must(producer.begin());
    for (PartitionId p = 0; p < 2; ++p) send(transaction, "out", "v", p);
    sync(0);  // the record, not yet its commit
    must(transaction.commit());
    CHECK(count(published) == 2);
    CHECK(count(durable) == 0);
    sync(0);
    sync(1);
    CHECK(count(durable) == 2);
  }
}

TEST_CASE("who is shown only what is durable gets on although some commit at leader is always under way") {
  TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "out");
  const auto partition = must(::seriatim::detail::EngineImpl::of(engine)->partition("out", 0));
  Consumer durable = must(engine.consumer({.visibility = Visibility::durable}));
  must(durable.assign_topic("out"));
  TransactionalProducer producer = transactional(engine, "worker", Acks::leader);
  TransactionalProducer other = transactional(engine, "other", Acks::leader);
  commit_one(producer, "out", "v");
  for (int round = 0; round < 5; ++round) {
    const auto mark = partition->sync_mark();
    // While the disk is busy: one that begins behind the mark, and one that was open there.
    commit_one(producer, "out", "v");
    Transaction open = must(other.begin());
    send(open, "out", "open");
    must(partition->sync_to(mark));
    CHECK(must(durable.poll(std::chrono::milliseconds(0))).count() == 1);
    const auto with_open = partition->sync_mark();
    must(open.commit());
    must(partition->sync_to(with_open));
    CHECK(must(durable.poll(std::chrono::milliseconds(0))).count() == 1);
  }
}

}  // namespace
}  // namespace seriatim::test
