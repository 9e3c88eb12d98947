// Transactions: all of their records, positions and state, or nothing, at every level and after a stop.
#include <seriatim/transaction.hpp>

#include <doctest/doctest.h>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using Values = std::vector<std::string>;

struct TwoTopics {
  TwoTopics() {
    create_topic(engine, "in");
    create_topic(engine, "out", 2);
    Producer producer = must(engine.producer());
    for (const char* value : {"a", "b", "c"}) must(producer.send_sync({.topic = "in", .value = value}));
  }
  TempDir dir;
  TempDir copies;
  Engine engine = open_engine(dir / "data");
};

// A step that reads, writes to two partitions, commits its position and counts.
void step(Transaction& transaction, const std::string& value, Offset position) {
  send(transaction, "out", value, 0);
  send(transaction, "out", value + "'", 1);
  must(transaction.send_offsets({{{"in", 0}, {.offset = position}}}, {.group_id = "g"}));
  must(transaction.state("counters").put("steps", std::to_string(position)));
}

void check_steps(const Engine& engine, const Values& values, std::optional<Offset> position) {
  Values primed;
  for (const auto& value : values) primed.push_back(value + "'");
  CHECK(committed_values(engine, "out", 0) == values);
  CHECK(committed_values(engine, "out", 1) == primed);
  CHECK(committed_offset(engine, "g", {"in", 0}) == position);
  const auto counted = position ? std::optional<std::string>(std::to_string(*position)) : std::nullopt;
  CHECK(state_text(engine, "counters", "steps") == counted);
}

}  // namespace

TEST_CASE("INV-8: records, positions and state of a transaction are seen together, once it is committed") {
  for (const Acks acks : {Acks::all, Acks::leader}) {
    TwoTopics f;
    TransactionalProducer producer = transactional(f.engine, "worker", acks);
    Transaction first = must(producer.begin());
    step(first, "a", 1);
    check_steps(f.engine, {}, std::nullopt);
    must(first.commit());
    check_steps(f.engine, {"a"}, 1);
    Transaction second = must(producer.begin());
    step(second, "b", 2);
    check_steps(f.engine, {"a"}, 1);
    must(second.commit());
    check_steps(f.engine, {"a", "b"}, 2);
    must(f.engine.close());
    check_steps(open_engine(f.dir / "data"), {"a", "b"}, 2);
  }
}

TEST_CASE("INV-8: nothing of an aborted transaction is ever seen, by call or by destructor") {
  TwoTopics f;
  TransactionalProducer producer = transactional(f.engine);
  {
    Transaction aborted = must(producer.begin());
    step(aborted, "x", 1);
    must(aborted.abort());
    must(aborted.abort());
    CHECK(code_of(aborted.commit()) == Errc::invalid_txn_state);
  }
  {
    Transaction dropped = must(producer.begin());
    step(dropped, "y", 2);
  }
  Transaction kept = must(producer.begin());
  step(kept, "z", 3);
  must(kept.commit());
  CHECK(code_of(kept.abort()) == Errc::invalid_txn_state);
  check_steps(f.engine, {"z"}, 3);
  must(f.engine.close());
  check_steps(open_engine(f.dir / "data"), {"z"}, 3);
}

TEST_CASE("INV-4: a stop of the process leaves each transaction whole or not at all") {
  for (const Acks acks : {Acks::all, Acks::leader}) {
    TwoTopics f;
    TransactionalProducer producer = transactional(f.engine, "worker", acks);
    Transaction first = must(producer.begin());
    step(first, "a", 1);
    must(first.commit());
    Transaction second = must(producer.begin());
    step(second, "b", 2);
    {
      const Engine after = open_engine(copy_of(f.engine, f.copies));
      check_steps(after, {"a"}, 1);
      // The transaction that the dead one left open is aborted, so that nobody waits for it.
      Producer plain = must(after.producer());
      must(plain.send_sync({.topic = "out", .value = "plain", .partition = 0}));
      CHECK(committed_values(after, "out", 0) == Values{"a", "plain"});
      // And the id goes on.
      TransactionalProducer next = transactional(after, "worker", acks);
      commit_one(next, "out", "c", 1);
      CHECK(committed_values(after, "out", 1) == Values{"a'", "c"});
    }
    must(second.commit());
    check_steps(open_engine(copy_of(f.engine, f.copies)), {"a", "b"}, 2);
  }
}

TEST_CASE("one commit over 64 partitions, a position and state is one fdatasync") {
  TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "wide", 64);
  TransactionalProducer producer = transactional(engine);
  const auto syncs = [&] {
    const auto& impl = *detail::EngineImpl::of(engine);
    return impl.journal->stats().syncs + impl.partition_counters.syncs.value();
  };
  for (int round = 0; round < 3; ++round) {
    Transaction transaction = must(producer.begin());
    for (PartitionId i = 0; i < 64; ++i) send(transaction, "wide", "v", i);
    must(transaction.send_offsets({{{"wide", 0}, {.offset = 1}}}, {.group_id = "g"}));
    must(transaction.state("s").put("k", "v"));
    const std::uint64_t before = syncs();
    must(transaction.commit());
    CHECK(syncs() == before + 1);
  }
}

TEST_CASE("a transaction sees its own changes of state, others do not") {
  TempDir dir;
  const Engine engine = open_engine(dir / "data");
  TransactionalProducer producer = transactional(engine);
  Transaction first = must(producer.begin());
  auto table = first.state("t");
  must(table.put("a", "1"));
  must(table.put("b", "2"));
  must(table.erase("b"));
  CHECK(must(table.get("a")).has_value());
  CHECK_FALSE(must(table.get("b")).has_value());
  CHECK_FALSE(state_text(engine, "t", "a"));
  must(first.commit());
  CHECK(state_text(engine, "t", "a") == "1");
  CHECK_FALSE(state_text(engine, "t", "b"));
  CHECK(code_of(table.put("c", "3")) == Errc::invalid_txn_state);
}

TEST_CASE("what comes too late, too early or twice is a clear error, and harms nothing") {
  TwoTopics f;
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  CHECK(transaction.is_open());
  CHECK(code_of(producer.begin()) == Errc::concurrent_transactions);
  send(transaction, "out", "a");
  CHECK(code_of(transaction.send({.topic = "none", .value = "x"})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(transaction.send({.topic = "out", .value = "x", .partition = 7})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(transaction.send({.topic = "out", .value = "x", .sequence = 1})) == Errc::invalid_state);
  CHECK(code_of(transaction.append({"out", 0}, {})) == Errc::invalid_argument);
  CHECK(code_of(transaction.send_offsets({{{"in", 0}, {.offset = 99}}}, {.group_id = "g"})) ==
        Errc::invalid_argument);
  CHECK(code_of(transaction.send_offsets({{{"in", 0}, {.offset = 1}}},
                                         {.group_id = "g", .generation_id = 3, .member_id = "m"})) ==
        Errc::unknown_member_id);
  CHECK(code_of(transaction.send_offsets({{{"in", 0}, {.offset = 1}}}, {})) == Errc::invalid_argument);
  CHECK(code_of(transaction.state("").put("k", "v")) == Errc::invalid_argument);
  CHECK(code_of(transaction.state("s").put("", "v")) == Errc::invalid_argument);
  CHECK(code_of(transaction.state("s").put("k", nullptr)) == Errc::invalid_argument);
  must(transaction.commit());
  must(transaction.commit());
  CHECK_FALSE(transaction.is_open());
  const auto late = transaction.send({.topic = "out", .value = "late"});
  CHECK(code_of(late) == Errc::invalid_txn_state);
  CHECK(message_of(late).find("begin another") != std::string::npos);
  CHECK(code_of(transaction.send_offsets({{{"in", 0}, {.offset = 1}}}, {.group_id = "g"})) ==
        Errc::invalid_txn_state);
  CHECK(committed_values(f.engine, "out") == Values{"a"});
}

TEST_CASE("what one transaction may decide on ends at the call that goes beyond, never at the commit") {
  TempDir dir;
  const Engine engine =
      must(Engine::open(dir / "data", {.transaction_max_bytes = 4'096, .journal_file_bytes = 64U << 10}));
  create_topic(engine, "t", 150);
  TransactionalProducer producer = transactional(engine);
  {
    Transaction transaction = must(producer.begin());
    TransactionTable state = transaction.state("s");
    const std::string value(1'100, 'v');
    for (const char* const key : {"a", "b", "c", "c"}) must(state.put(key, value));
    CHECK(code_of(state.put("d", value)) == Errc::record_too_large);
    CHECK_FALSE(must(state.get("d")));
    must(state.erase("a"));
    must(state.put("d", value));
    const ConsumerGroupMetadata group{.group_id = "g"};
    const std::string metadata(1'500, 'm');
    CHECK(code_of(transaction.send_offsets({{{"t", 0}, {.offset = 0, .metadata = metadata}}}, group)) ==
          Errc::record_too_large);
    must(transaction.send_offsets({{{"t", 0}, {.offset = 0}}}, group));
    must(transaction.commit());
  }
  CHECK_FALSE(state_text(engine, "s", "a"));
  CHECK(state_text(engine, "s", "d"));
  Transaction transaction = must(producer.begin());
  PartitionId sent = 0;
  for (; sent < 150; ++sent) {
    const auto record = transaction.send({.topic = "t", .value = "v", .partition = sent});
    if (record) continue;
    CHECK(record.error().code() == Errc::record_too_large);
    break;
  }
  CHECK(sent == (4'096 - 34 - 6) / 36);
  send(transaction, "t", "once more", 0);
  must(transaction.commit());
  CHECK(committed_values(engine, "t", sent - 1).size() == 1);
  CHECK(code_of(Engine::open(dir / "other", {.transaction_max_bytes = 4'095})) == Errc::invalid_argument);
}

TEST_CASE("as much as may be decided on is committed, also where a journal file holds less") {
  TempDir dir;
  const Engine engine = must(Engine::open(dir / "data", {.journal_file_bytes = 64U << 10}));
  TransactionalProducer producer = transactional(engine);
  Transaction transaction = must(producer.begin());
  TransactionTable state = transaction.state("s");
  std::size_t bytes = 10'000;
  for (int key = 0; bytes > 0; ++key) {
    if (!state.put(std::to_string(key), std::string(bytes, 'v'))) bytes /= 2;
  }
  must(transaction.commit());
}

TEST_CASE("a late handle never reaches a later transaction") {
  TwoTopics f;
  TransactionalProducer producer = transactional(f.engine);
  Transaction older = must(producer.begin());
  must(older.abort());
  Transaction newer = must(producer.begin());
  send(newer, "out", "kept");
  CHECK(code_of(older.send({.topic = "out", .value = "late"})) == Errc::invalid_txn_state);
  CHECK(code_of(older.commit()) == Errc::invalid_txn_state);
  must(older.abort());
  must(newer.commit());
  CHECK(committed_values(f.engine, "out") == Values{"kept"});
}

TEST_CASE("a transaction that wrote nothing commits and aborts, and leaves the epoch as it is") {
  TwoTopics f;
  TransactionalProducer producer = transactional(f.engine);
  const auto epoch = producer.producer_epoch();
  Transaction empty = must(producer.begin());
  must(empty.commit());
  Transaction given_up = must(producer.begin());
  must(given_up.abort());
  CHECK(producer.producer_epoch() == epoch);
  commit_one(producer, "out", "a");
  CHECK(producer.producer_epoch() == epoch + 1);
}

TEST_CASE("a batch in a transaction, and batches larger than the journal takes") {
  TwoTopics f;
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  const std::string large(400'000, 'l');
  const std::vector<Record> records{{.value = "1"}, {.value = "2"}};
  CHECK(must(transaction.append({"out", 0}, records)).last_offset == 1);
  send(transaction, "out", large);
  must(transaction.commit());
  const Engine after = open_engine(copy_of(f.engine, f.copies));
  CHECK(committed_values(after, "out") == Values{"1", "2", large});
}

TEST_CASE("closing the engine aborts what is open, and its handles say so") {
  TwoTopics f;
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  step(transaction, "a", 1);
  must(f.engine.close());
  CHECK(code_of(transaction.send({.topic = "out", .value = "late"})) == Errc::closed);
  CHECK(code_of(transaction.commit()) == Errc::closed);
  const Engine after = open_engine(f.dir / "data");
  check_steps(after, {}, std::nullopt);
}

TEST_CASE("a topic that is deleted meanwhile takes its part of a transaction with it") {
  TwoTopics f;
  create_topic(f.engine, "gone");
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  send(transaction, "gone", "x");
  send(transaction, "out", "a");
  must(f.engine.admin().delete_topic("gone"));
  must(transaction.commit());
  CHECK(committed_values(f.engine, "out") == Values{"a"});
  CHECK(committed_values(open_engine(copy_of(f.engine, f.copies)), "out") == Values{"a"});
}

}  // namespace seriatim::test
