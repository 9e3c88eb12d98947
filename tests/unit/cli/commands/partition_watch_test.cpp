#include "commands/partition_watch.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::cli {
namespace {

using test::must;

std::vector<TopicPartition> partitions_of(const std::string& topic, PartitionId first, PartitionId end) {
  std::vector<TopicPartition> all;
  for (PartitionId one = first; one < end; ++one) all.push_back({topic, one});
  return all;
}

TEST_CASE("partitions that are added while a topic is read are found once, and none of a deleted topic") {
  const test::TempDir directory(test::TempDir::in_memory());
  const Engine engine = must(Engine::open(directory / "data"));
  must(engine.admin().create_topic({.name = "a"}));
  must(engine.admin().create_topic({.name = "b", .partition_count = 2}));
  PartitionWatch watch(engine, std::chrono::milliseconds(0));
  watch.watch("a", 1);
  watch.watch("b", 2);
  CHECK(must(watch.added()).empty());
  must(engine.admin().create_partitions("b", 5));
  CHECK(must(watch.added()) == partitions_of("b", 2, 5));
  CHECK(must(watch.added()).empty());
  must(engine.admin().delete_topic("a"));
  CHECK(must(watch.added()).empty());
}

TEST_CASE("an added partition is read from its beginning, those that are read go on where they are") {
  const test::TempDir directory(test::TempDir::in_memory());
  const Engine engine = must(Engine::open(directory / "data"));
  must(engine.admin().create_topic({.name = "t"}));
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "t", .value = "one", .partition = 0}));
  Consumer consumer = must(engine.consumer());
  must(consumer.assign({{"t", 0}}));
  CHECK(must(consumer.poll(std::chrono::seconds(10))).count() == 1);
  must(engine.admin().create_partitions("t", 2));
  must(producer.send_sync({.topic = "t", .value = "two", .partition = 1}));
  must(assign_more(consumer, {{"t", 1}}));
  const ConsumerRecords records = must(consumer.poll(std::chrono::seconds(10)));
  REQUIRE(records.count() == 1);
  CHECK(records[0].value().text() == "two");
}

}  // namespace
}  // namespace seriatim::cli
