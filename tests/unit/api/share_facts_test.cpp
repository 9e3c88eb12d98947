// Share groups as a part of an engine: checkpoints, restarts, deleted topics, and deaths with a commit.
#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "producer/transaction_impl.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using group::DeliveryProgress;
using group::DeliveryState;
using group::OffsetRun;
using group::ShareChange;
using group::ShareWindow;
using ::seriatim::detail::EngineImpl;
using ::seriatim::detail::ShareDeaths;
using ::seriatim::detail::TransactionalProducerImpl;

EngineImpl& impl_of(const Engine& engine) { return *EngineImpl::of(engine); }

group::SharePartitionPtr share_partition(const Engine& engine, const TopicPartition& at = t0) {
  EngineImpl& impl = impl_of(engine);
  return must(impl.share_groups.partition("g", at, must(impl.topic(at.topic))->id));
}

DeliveryProgress share_progress(const Engine& engine, const TopicPartition& at = t0) {
  return share_partition(engine, at)->look([](const ShareWindow& window) { return window.progress(); });
}

// The topic, with 20 records in each partition.
void create_shared_topic(const Engine& engine, PartitionId partitions = 1) {
  create_topic(engine, "t", partitions);
  Producer producer = must(engine.producer());
  for (PartitionId partition = 0; partition < partitions; ++partition) {
    for (int i = 0; i < 20; ++i)
      must(producer.send_sync({.topic = "t", .value = "v", .partition = partition}));
  }
}

// Offsets 10 to 19 acquired; the first three of them rejected, and waiting for their letters.
group::SharePartitionPtr begin_with_dead(const Engine& engine) {
  auto partition = share_partition(engine);
  must(partition->begin(10));
  must(partition->change([](const ShareWindow& window) -> Result<ShareChange> {
    return window.plan_fresh({.member = 1, .lock_end_ms = 1'000, .max_records = 10}, {10, 20, {{10, 19}}})
        .value_or(ShareChange{});
  }));
  const group::Acknowledgement rejected{{10, 12}, group::Acknowledging::reject};
  must(partition->change([&](const ShareWindow& window) {
    return window.plan_acknowledge(1, {&rejected, 1}, {.now_ms = 1, .writes_letters = true}, 0);
  }));
  return partition;
}

TransactionalProducer share_producer(const Engine& engine, Acks acks = Acks::all) {
  return must(engine.transactional_producer({.transactional_id = "letters", .acks = acks}));
}

// A transaction that writes the letters of the dead, which is not ended.
Transaction write_letters(TransactionalProducer& producer, const group::SharePartitionPtr& partition) {
  Transaction transaction = must(producer.begin());
  must(transaction.send({.topic = "letters", .value = "10 to 12"}));
  must(TransactionalProducerImpl::of(transaction).bury({partition, {{10, 12}}}));
  return transaction;
}

struct ShareDirectory {
  TempDir directory{};
  std::string path = directory / "data";
  std::string copy = directory / "copy";
};

}  // namespace

TEST_CASE("an engine brings share groups back from its journal, a checkpoint and a clean close") {
  const ShareDirectory at;
  std::optional<DeliveryProgress> before;
  {
    const Engine engine = open_engine(at.path);
    create_shared_topic(engine, 2);
    begin_with_dead(engine);
    must(impl_of(engine).share_groups.set_settings("g", {{"a", "b"}}));
    before = share_progress(engine);
    CHECK(before->start_offset == 10);
    copy_live(at.path, at.copy);
    must(impl_of(engine).checkpointer->checkpoint());
    CHECK_FALSE(impl_of(engine).share_groups.has_changes());
    must(share_partition(engine, t1)->begin(3));
    must(engine.close());
  }
  const Engine killed = open_engine(at.copy);
  CHECK(share_progress(killed) == *before);
  CHECK(must(impl_of(killed).share_groups.settings("g")) == group::ShareSettings{{"a", "b"}});
  const Engine closed = open_engine(at.path);
  CHECK(share_progress(closed) == *before);
  CHECK(share_progress(closed, t1).start_offset == 3);
  CHECK(must(impl_of(closed).share_groups.groups()) == std::vector<std::string>{"g"});
}

TEST_CASE("a reading engine shows the share groups that the catalog has") {
  const ShareDirectory at;
  const Engine engine = open_engine(at.path);
  create_shared_topic(engine);
  begin_with_dead(engine);
  must(impl_of(engine).checkpointer->store_commits());
  copy_live(at.path, at.copy);
  const Engine reader = must(Engine::open(at.copy, {.mode = OpenMode::read_only}));
  const auto shown = must(impl_of(reader).share_groups.progress_of("g"));
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].progress == share_progress(engine));
}

TEST_CASE("a topic made again under its old name has no progress of the deleted one") {
  const ShareDirectory at;
  const Engine engine = open_engine(at.path);
  for (const bool has_row : {false, true}) {
    create_shared_topic(engine);
    begin_with_dead(engine);
    if (has_row) must(impl_of(engine).checkpointer->store_commits());
    must(engine.admin().delete_topic("t"));
    CHECK(must(impl_of(engine).share_groups.groups()).empty());
  }
  create_shared_topic(engine);
  CHECK_FALSE(share_partition(engine)->has_begun());
  must(impl_of(engine).checkpointer->checkpoint());
  CHECK(must(impl_of(engine).share_groups.groups()).empty());
}

TEST_CASE("records of a share group die with the commit of their letters, and not with its abort") {
  const ShareDirectory at;
  for (const Acks acks : {Acks::all, Acks::leader}) {
    std::filesystem::remove_all(at.path);
    const Engine engine = open_engine(at.path);
    create_shared_topic(engine);
    create_topic(engine, "letters");
    const auto partition = begin_with_dead(engine);
    auto producer = share_producer(engine, acks);
    {
      Transaction aborted = write_letters(producer, partition);
      must(aborted.abort());
    }
    CHECK(share_progress(engine).start_offset == 10);
    Transaction committed = write_letters(producer, partition);
    CHECK(share_progress(engine).start_offset == 10);
    must(committed.commit());
    CHECK(share_progress(engine).start_offset == 13);
    // A commit of another transaction has none of them.
    must(partition->replace({.start_offset = 10, .runs = {{{10, 12}, DeliveryState::acquired, 1}}}));
    Transaction other = must(producer.begin());
    must(other.send({.topic = "letters", .value = "x"}));
    must(other.commit());
    CHECK(share_progress(engine).start_offset == 10);
  }
}

TEST_CASE("a decision that the process did not live to apply archives the dead when the engine is opened") {
  const ShareDirectory at;
  DeliveryProgress after;
  {
    const Engine engine = open_engine(at.path);
    create_shared_topic(engine);
    create_topic(engine, "letters");
    const auto partition = begin_with_dead(engine);
    auto producer = share_producer(engine);
    Transaction transaction = write_letters(producer, partition);
    must(impl_of(engine).checkpointer->store_commits());  // A row that has them acquired.
    copy_live(at.path, at.copy);
    {
      const Engine undecided = open_engine(at.copy);
      CHECK(share_progress(undecided).start_offset == 10);
    }
    must(transaction.commit());
    after = share_progress(engine);
    copy_live(at.path, at.copy);
  }
  const Engine decided = open_engine(at.copy);
  CHECK(share_progress(decided) == after);
  CHECK(share_progress(decided).start_offset == 13);
}

TEST_CASE("deaths that are none, or find no room in the decision, are refused, and the transaction goes on") {
  const ShareDirectory at;
  const Engine engine = open_engine(at.path, {.transaction_max_bytes = 4'096});
  create_shared_topic(engine);
  create_topic(engine, "letters");
  const auto partition = begin_with_dead(engine);
  auto producer = share_producer(engine);
  Transaction transaction = must(producer.begin());
  auto& open = TransactionalProducerImpl::of(transaction);
  CHECK(code_of(open.bury({partition, {}})) == Errc::invalid_argument);
  CHECK(code_of(open.bury({partition, {{12, 12}, {12, 13}}})) == Errc::invalid_argument);
  CHECK(code_of(open.bury({partition, {{12, 11}}})) == Errc::invalid_argument);
  std::vector<OffsetRun> many;
  for (Offset offset = 0; offset < 1'000; offset += 2) many.push_back({offset, offset});
  CHECK(code_of(open.bury({partition, many})) == Errc::record_too_large);
  must(open.bury({partition, {{10, 12}}}));
  must(transaction.commit());
  CHECK(share_progress(engine).start_offset == 13);
  CHECK(code_of(open.bury({partition, {{13, 13}}})) == Errc::invalid_txn_state);
}

}  // namespace seriatim::test
