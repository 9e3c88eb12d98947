// How far a group is behind: 0 where nothing is left that its consumer would be shown.
#include <doctest/doctest.h>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

const char* const lag_group = "g";

void commit_position(const Engine& engine, Offset offset, const TopicPartition& at = t0) {
  must(engine.admin().alter_group_offsets(lag_group, {{at, {.offset = offset, .metadata = "note"}}}));
}

GroupLag lag_of(const Engine& engine, PartitionId partition = 0) {
  auto lags = must(engine.admin().group_lag(lag_group));
  REQUIRE(static_cast<std::size_t>(partition) < lags.size());
  REQUIRE(lags[static_cast<std::size_t>(partition)].topic_partition == TopicPartition{"t", partition});
  return lags[static_cast<std::size_t>(partition)];
}

void put(const Engine& engine, const char* key, const char* value) {
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "t", .key = key, .value = value, .partition = 0}));
}

void abort_one(TransactionalProducer& producer) {
  Transaction transaction = must(producer.begin());
  send(transaction, "t", "aborted");
  must(transaction.abort());
}

}  // namespace

TEST_CASE("a group's lag is what lies behind its committed offset, in every partition of its topics") {
  const OpenedEngine opened(2);
  create_topic(opened.engine, "other");
  for (const char* value : {"a", "b", "c"}) put(opened.engine, "k", value);
  CHECK(must(opened.engine.admin().group_lag(lag_group)).empty());
  commit_position(opened.engine, 1);
  CHECK(must(opened.engine.admin().group_lag(lag_group)).size() == 2);
  const GroupLag behind = lag_of(opened.engine);
  CHECK(behind.committed == OffsetAndMetadata{1, "note"});
  CHECK(behind.commit_time.has_value());
  CHECK(behind.log_start_offset == 0);
  CHECK(behind.end_offset == 3);
  CHECK(behind.lag == 2);
  CHECK_FALSE(behind.damage.has_value());
  const GroupLag never = lag_of(opened.engine, 1);
  CHECK_FALSE(never.committed.has_value());
  CHECK_FALSE(never.commit_time.has_value());
  CHECK(never.lag == 0);
}

TEST_CASE("a partition that was never committed, or whose start has passed the offset, lags from its start") {
  const OpenedEngine opened(2);
  for (int i = 0; i < 5; ++i) put(opened.engine, "k", "v");
  commit_position(opened.engine, 0, t1);
  CHECK(lag_of(opened.engine).lag == 5);
  commit_position(opened.engine, 1);
  must(opened.engine.admin().delete_records(t0, 3));
  CHECK(lag_of(opened.engine).log_start_offset == 3);
  CHECK(lag_of(opened.engine).lag == 2);
  must(opened.engine.admin().delete_records(t0, -1));
  CHECK(lag_of(opened.engine).lag == 0);
}

TEST_CASE("markers and aborted records at the end are no lag, those before a record count") {
  const OpenedEngine opened;
  TransactionalProducer producer = transactional(opened.engine);
  commit_one(producer, "t", "a");  // 0, marker 1
  commit_position(opened.engine, 0);
  CHECK(lag_of(opened.engine).lag == 2);
  commit_position(opened.engine, 1);
  CHECK(lag_of(opened.engine).lag == 0);
  abort_one(producer);  // 2, marker 3
  CHECK(lag_of(opened.engine).end_offset == 4);
  CHECK(lag_of(opened.engine).lag == 0);
  commit_position(opened.engine, 3);
  CHECK(lag_of(opened.engine).lag == 0);
  put(opened.engine, "k", "b");  // 4
  CHECK(lag_of(opened.engine).lag == 2);
  commit_position(opened.engine, 5);
  CHECK(lag_of(opened.engine).lag == 0);
}

TEST_CASE("what an open transaction holds back is no lag until it is committed") {
  const OpenedEngine opened;
  put(opened.engine, "k", "a");
  commit_position(opened.engine, 1);
  TransactionalProducer producer = transactional(opened.engine);
  Transaction transaction = must(producer.begin());
  send(transaction, "t", "b");
  put(opened.engine, "k", "c");
  CHECK(lag_of(opened.engine).end_offset == 1);
  CHECK(lag_of(opened.engine).lag == 0);
  commit_position(opened.engine, 3);  // behind it
  CHECK(lag_of(opened.engine).lag == 0);
  commit_position(opened.engine, 1);
  must(transaction.commit());
  CHECK(lag_of(opened.engine).lag == 3);
}

TEST_CASE("what compaction took is no lag, whole batches and records within one") {
  const OpenedEngine opened(1, {{"cleanup.policy", "compact"}});
  const Engine& engine = opened.engine;
  put(engine, "k", "a");
  // One batch, of which the later records are superseded.
  const std::vector<Record> batch{
      {.key = "stays", .value = "v"}, {.key = "goes", .value = "v"}, {.key = "goes too", .value = "v"}};
  must(must(engine.producer({.acks = Acks::leader})).append(t0, batch));
  for (const char* key : {"k", "goes", "goes too"}) put(engine, key, "newer");  // 4, 5, 6
  must(engine.admin().compact("t", true));
  const auto left = read_all(engine, "t");
  REQUIRE(left.size() == 4);
  REQUIRE(left[0].offset == 1);
  commit_position(engine, 2);
  CHECK(lag_of(engine).lag == 5);  // 4 to 6 are there
  // Compaction leaves a hole at the end, too, where records were aborted.
  TransactionalProducer producer = transactional(engine);
  for (int i = 0; i < 3; ++i) {
    Transaction transaction = must(producer.begin());
    must(transaction.send({.topic = "t", .key = "k", .value = "aborted", .partition = 0}));
    must(transaction.abort());
  }
  commit_position(engine, 7);
  CHECK(lag_of(engine).lag == 0);
  must(engine.admin().compact("t", true));
  CHECK(lag_of(engine).end_offset == 13);
  CHECK(lag_of(engine).lag == 0);
}

TEST_CASE("a read-only engine beside the writer tells the same lag") {
  const OpenedEngine opened;
  TransactionalProducer producer = transactional(opened.engine);
  commit_one(producer, "t", "a");
  commit_position(opened.engine, 1);
  must(detail::EngineImpl::of(opened.engine)->checkpointer->store_commits());
  const TempDir copies;
  const Engine reader = open_engine(copy_of(opened.engine, copies), {.mode = OpenMode::read_only});
  CHECK(lag_of(reader).end_offset == 2);
  CHECK(lag_of(reader).lag == 0);
}

TEST_CASE("a damaged partition hides no other from the lag") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    Engine engine = open_engine(path);
    create_topic(engine, "t", 2);
    put(engine, "k", "a");
    commit_position(engine, 0, t0);
    commit_position(engine, 0, t1);
    must(engine.close());
  }
  std::filesystem::remove(path + "/log/t-0/00000000000000000000.index");
  const Engine engine = open_engine(path, {.mode = OpenMode::read_only});
  const GroupLag damaged = lag_of(engine);
  REQUIRE(damaged.damage.has_value());
  CHECK(damaged.damage->find("seriatim repair") != std::string::npos);
  CHECK(damaged.lag == -1);
  CHECK(must(engine.admin().group_offsets(lag_group))[0].log_end_offset == -1);
  CHECK(lag_of(engine, 1).lag == 0);
}

}  // namespace seriatim::test
