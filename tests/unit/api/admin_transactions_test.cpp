// Transactions and producers as an administrator sees and ends them, in the engine that writes and beside it.
#include <doctest/doctest.h>

#include "unit/api/reading_fixture.hpp"
#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

using Names = std::vector<std::string>;

struct Fixture {
  Fixture() { create_topic(engine, "t", 2); }
  /// As another process finds it now.
  Engine read_only() const { return open_engine(copy_of(engine, copies), {.mode = OpenMode::read_only}); }

  TempDir dir;
  TempDir copies;
  base::ManualClock clock{1'700'000'000'000};
  Engine engine = open_engine_with(dir / "data", os::posix_vfs(), clock);
  Admin admin = engine.admin();
};

/// The id "id" has a transaction open, with the record "no".
struct OpenTransaction : Fixture {
  OpenTransaction() { send(transaction, "t", "no"); }

  TransactionalProducer producer = transactional(engine, "id");
  Transaction transaction = must(producer.begin());
};

Timestamp now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

}  // namespace

TEST_CASE("transactional ids are listed with what they have open") {
  const Fixture f;
  CHECK(must(f.admin.list_transactions()).empty());
  TransactionalProducer b = transactional(f.engine, "b");
  TransactionalProducer a = transactional(f.engine, "a");
  Transaction transaction = must(b.begin());
  send(transaction, "t", "v", 1);
  send(transaction, "t", "v", 0);
  const auto all = must(f.admin.list_transactions());
  REQUIRE(all.size() == 2);
  CHECK(all[0].transactional_id == "a");
  CHECK(all[0].phase == TransactionState::empty);
  CHECK_FALSE(all[0].start_time);
  CHECK(all[1].transactional_id == "b");
  const TransactionDescription open = must(f.admin.describe_transaction("b"));
  CHECK(open.phase == TransactionState::ongoing);
  CHECK(open.producer_id == b.producer_id());
  CHECK(open.producer_epoch == b.producer_epoch());
  CHECK(open.timeout == std::chrono::minutes(1));
  CHECK(open.start_time == Timestamp{std::chrono::milliseconds(f.clock.wall_ms())});
  CHECK(open.partitions == std::vector<TopicPartition>{{"t", 0}, {"t", 1}});
  CHECK(code_of(f.admin.describe_transaction("c")) == Errc::transactional_id_not_found);
  must(transaction.commit());
  CHECK(must(f.admin.describe_transaction("b")).phase == TransactionState::empty);
}

TEST_CASE("a process beside the writer sees what is open, in the partitions") {
  const Fixture f;
  TransactionalProducer producer = transactional(f.engine, "id");
  CHECK(must(f.read_only().admin().describe_transaction("id")).phase == TransactionState::empty);
  Transaction transaction = must(producer.begin());
  must(transaction.send({.topic = "t", .value = "v", .partition = 1, .timestamp = now()}));
  {
    const Engine reader = f.read_only();
    const Admin admin = reader.admin();
    const TransactionDescription open = must(admin.describe_transaction("id"));
    CHECK(open.phase == TransactionState::ongoing);
    CHECK(open.producer_id == producer.producer_id());
    CHECK(open.partitions == std::vector<TopicPartition>{{"t", 1}});
    CHECK(must(admin.find_hanging_transactions()).empty());
    CHECK(code_of(admin.abort_transaction("id")) == Errc::read_only);
    CHECK(code_of(admin.fence_producer("id")) == Errc::read_only);
    CHECK(code_of(admin.forget_named_producer("p")) == Errc::read_only);
  }
  must(transaction.commit());
  CHECK(must(f.read_only().admin().describe_transaction("id")).phase == TransactionState::empty);
}

TEST_CASE("beside the writer, what was written to long ago and never ended is hanging") {
  const Fixture f;
  TransactionalProducer producer = transactional(f.engine, "id");
  Transaction transaction = must(producer.begin());
  must(transaction.send({.topic = "t", .value = "v", .timestamp = now() - std::chrono::minutes(21)}));
  const auto hanging = must(f.read_only().admin().find_hanging_transactions());
  REQUIRE(hanging.size() == 1);
  CHECK(hanging[0].transactional_id == "id");
  CHECK(hanging[0].producer.producer_id == producer.producer_id());
}

TEST_CASE("INV-8: what an administrator aborts is never seen, and its holder is told and goes on") {
  OpenTransaction f;
  auto state = f.transaction.state("s");
  must(state.put("k", "v"));
  must(f.admin.abort_transaction("id"));
  CHECK_FALSE(f.transaction.is_open());
  CHECK(code_of(state.get("k")) == Errc::transaction_abortable);
  CHECK(code_of(state.put("k", "w")) == Errc::transaction_abortable);
  CHECK(code_of(f.transaction.send({.topic = "t", .value = "no"})) == Errc::transaction_abortable);
  CHECK(code_of(f.transaction.commit()) == Errc::transaction_abortable);
  must(f.transaction.abort());
  must(f.admin.abort_transaction("id"));  // Nothing is open.
  commit_one(f.producer, "t", "yes");
  CHECK(committed_values(f.engine, "t") == Names{"yes"});
  CHECK_FALSE(must(must(f.engine.state("s")).get("k")).has_value());
  CHECK(code_of(f.admin.abort_transaction("other")) == Errc::transactional_id_not_found);
}

TEST_CASE("a fenced holder is over until the id is opened again") {
  OpenTransaction f;
  must(f.admin.fence_producer("id"));
  CHECK(code_of(f.transaction.commit()) == Errc::producer_fenced);
  CHECK(code_of(f.producer.begin()) == Errc::producer_fenced);
  TransactionalProducer next = transactional(f.engine, "id");
  commit_one(next, "t", "yes");
  CHECK(committed_values(f.engine, "t") == Names{"yes"});
  CHECK(must(f.admin.describe_transaction("id")).timeout == std::chrono::minutes(1));
  CHECK(code_of(f.admin.fence_producer("other")) == Errc::transactional_id_not_found);
}

TEST_CASE("transactions that nobody is going to end are found, and no others") {
  Fixture f;
  TransactionalProducer producer = transactional(f.engine, "id");
  Transaction ours = must(producer.begin());
  send(ours, "t", "v", 0);
  // Of another log: nobody here has this producer id.
  append_batch(f.engine, {"t", 1},
               {.frame = {.producer_id = 7, .producer_epoch = 3, .base_sequence = 0, .transactional = true}});
  auto hanging = must(f.admin.find_hanging_transactions());
  REQUIRE(hanging.size() == 1);
  CHECK(hanging[0].topic_partition == TopicPartition{"t", 1});
  CHECK(hanging[0].producer.producer_id == 7);
  CHECK(hanging[0].producer.producer_epoch == 3);
  CHECK(hanging[0].producer.transaction_start_offset == 0);
  CHECK_FALSE(hanging[0].transactional_id);
  // Of an id that is known, which has this transaction open no more.
  must(ours.commit());
  append_batch(f.engine, {"t", 0},
               {.frame = {.producer_id = producer.producer_id(),
                          .producer_epoch = producer.producer_epoch(),
                          .base_sequence = 0,
                          .transactional = true}});
  hanging = must(f.admin.find_hanging_transactions());
  REQUIRE(hanging.size() == 2);
  CHECK(hanging[0].topic_partition == TopicPartition{"t", 0});
  CHECK(hanging[0].transactional_id == "id");
}

TEST_CASE("INV-8: a hanging transaction that is aborted is never seen, and readers go on behind it") {
  const Fixture f;
  append_batch(f.engine, {"t", 1},
               {.frame = {.producer_id = 7, .producer_epoch = 3, .base_sequence = 0, .transactional = true}});
  Producer plain = must(f.engine.producer());
  must(plain.send_sync({.topic = "t", .value = "behind", .partition = 1}));
  TransactionalProducer producer = transactional(f.engine, "id");
  Transaction ours = must(producer.begin());
  const Offset start = send(ours, "t", "ours").offset;
  CHECK(committed_values(f.engine, "t", 1).empty());
  CHECK(code_of(f.admin.abort_hanging_transaction({"t", 1}, 1)) == Errc::invalid_txn_state);
  CHECK(code_of(f.admin.abort_hanging_transaction({"t", 0}, start)) == Errc::invalid_txn_state);
  must(f.admin.abort_hanging_transaction({"t", 1}, 0));
  CHECK(committed_values(f.engine, "t", 1) == Names{"behind"});
  CHECK(must(f.admin.find_hanging_transactions()).empty());
  must(ours.commit());
  CHECK(committed_values(open_engine(copy_of(f.engine, f.copies)), "t", 1) == Names{"behind"});
  CHECK(code_of(f.read_only().admin().abort_hanging_transaction({"t", 1}, 0)) == Errc::read_only);
}

TEST_CASE("a partition that cannot be opened is told, and hides no transaction of the others") {
  const Fixture f;
  TransactionalProducer producer = transactional(f.engine, "id");
  Transaction ours = must(producer.begin());
  must(ours.send({.topic = "t", .value = "v", .partition = 1, .timestamp = now()}));
  append_batch(f.engine, {"t", 1},
               {.frame = {.producer_id = 7, .producer_epoch = 3, .base_sequence = 0, .transactional = true}});
  Producer plain = must(f.engine.producer());
  must(plain.send_sync({.topic = "t", .value = "v", .partition = 0}));
  must(f.engine.flush());
  const std::string copy = copy_of(f.engine, f.copies);
  const std::string index = copy + "/log/t-0/00000000000000000000.index";
  std::filesystem::remove(index);
  const auto names_index = [&](const std::optional<std::string>& damage) {
    return damage && damage->find(index) != std::string::npos;
  };
  const Engine beside = open_engine(copy, {.mode = OpenMode::read_only});
  const Admin admin = beside.admin();

  const auto hanging = must(admin.find_hanging_transactions());
  REQUIRE(hanging.size() == 2);
  CHECK(hanging[0].topic_partition == TopicPartition{"t", 0});
  CHECK(names_index(hanging[0].damage));
  CHECK(hanging[1].topic_partition == TopicPartition{"t", 1});
  CHECK(hanging[1].producer.producer_id == 7);
  CHECK_FALSE(hanging[1].damage);

  const auto all = must(admin.list_transactions());
  REQUIRE(all.size() == 1);
  CHECK(all[0].phase == TransactionState::ongoing);
  CHECK(all[0].partitions == std::vector<TopicPartition>{{"t", 1}});
  CHECK(names_index(all[0].damage));

  CHECK(must(admin.describe_producers({"t", 1})).size() == 2);
  CHECK(code_of(admin.describe_producers({"t", 0})) == Errc::corrupt_metadata);
}

TEST_CASE("a partition tells of its producers") {
  const Fixture f;
  Producer named = must(f.engine.producer({.name = "p"}));
  must(named.send_sync({.topic = "t", .value = "v", .partition = 0}));
  must(named.send_sync({.topic = "t", .value = "v", .partition = 0}));
  TransactionalProducer producer = transactional(f.engine, "id");
  const ProducerId id = producer.producer_id();
  commit_one(producer, "t", "v");
  Transaction second = must(producer.begin());
  send(second, "t", "v");
  for (const Engine& engine : {f.engine, f.read_only()}) {
    const auto producers = must(engine.admin().describe_producers({"t", 0}));
    REQUIRE(producers.size() == 2);
    CHECK(producers[0].producer_id == named.producer_id());
    CHECK(producers[0].last_sequence == 1);
    CHECK(producers[0].coordinator_epoch == -1);
    CHECK(producers[0].transaction_start_offset == -1);
    CHECK(producers[1].producer_id == id);
    CHECK(producers[1].producer_epoch == producer.producer_epoch());
    CHECK(producers[1].last_sequence == 0);
    CHECK(producers[1].coordinator_epoch == 0);
    CHECK(producers[1].transaction_start_offset == 4);
    CHECK(producers[1].last_timestamp.time_since_epoch().count() == f.clock.wall_ms());
    CHECK(must(engine.admin().describe_producers({"t", 1})).empty());
    CHECK(code_of(engine.admin().describe_producers({"no", 0})) == Errc::unknown_topic_or_partition);
  }
}

TEST_CASE("named producers are listed, and forgotten once they are closed") {
  const Fixture f;
  CHECK(must(f.admin.list_named_producers()).empty());
  ProducerId first = -1;
  {
    Producer producer = must(f.engine.producer({.name = "p"}));
    first = *producer.producer_id();
    const auto all = must(f.admin.list_named_producers());
    REQUIRE(all.size() == 1);
    CHECK(all[0].name == "p");
    CHECK(all[0].producer_id == first);
    CHECK(all[0].last_open_time == Timestamp{std::chrono::milliseconds(f.clock.wall_ms())});
    CHECK(code_of(f.admin.forget_named_producer("p")) == Errc::invalid_state);
  }
  must(f.admin.forget_named_producer("p"));
  CHECK(must(f.admin.list_named_producers()).empty());
  CHECK(code_of(f.admin.forget_named_producer("p")) == Errc::not_found);
  CHECK(must(f.engine.producer({.name = "p"})).producer_id() != first);
}

TEST_CASE("tables are listed as long as they have a key") {
  const Fixture f;
  TransactionalProducer producer = transactional(f.engine);
  const auto change = [&](const std::string& name, bool is_put) {
    Transaction transaction = must(producer.begin());
    auto table = transaction.state(name);
    must(is_put ? table.put("k", "v") : table.erase("k"));
    must(transaction.commit());
  };
  change("b", true);
  must(::seriatim::detail::EngineImpl::of(f.engine)->checkpointer->checkpoint());
  change("a", true);
  CHECK(must(f.admin.list_states()) == Names{"a", "b"});
  change("b", false);
  CHECK(must(f.admin.list_states()) == Names{"a"});
}

TEST_CASE("transactions are counted by how they ended") {
  Fixture f;
  TransactionalProducer producer = transactional(f.engine);
  for (int i = 0; i < 3; ++i) {
    Transaction transaction = must(producer.begin());
    send(transaction, "t", "v");
    if (i < 2) must(transaction.commit());
  }
  Transaction late = must(producer.begin());
  CHECK(f.engine.metrics().transactions_open == 1);
  f.clock.advance_ms(120'000);
  CHECK(code_of(late.commit()) == Errc::transaction_abortable);
  const Metrics metrics = f.engine.metrics();
  CHECK(metrics.transactions_committed == 2);
  CHECK(metrics.transactions_aborted == 2);
  CHECK(metrics.transactions_timed_out == 1);
  CHECK(metrics.transactions_open == 0);
}

}  // namespace seriatim::test
