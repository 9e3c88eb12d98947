#include "directory/topics/deleted_segments.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using test::create_topic;
using test::must;
using test::OpenedEngine;

// Files of this directory that are mapped and deleted: their space is not free.
int mapped_deleted_files(const std::string& directory) {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);)
    count += line.find(directory) != std::string::npos && line.ends_with("(deleted)") ? 1 : 0;
  return count;
}

TEST_CASE("a deleted topic gives its space back while producers and consumers that used it live") {
  OpenedEngine opened;
  Producer plain = must(opened.engine.producer({.acks = Acks::leader}));
  Producer lingering =
      must(opened.engine.producer({.linger = std::chrono::milliseconds(1), .enable_idempotence = true}));
  TransactionalProducer transactions =
      must(opened.engine.transactional_producer({.transactional_id = "w", .acks = Acks::leader}));
  Consumer consumer = must(opened.engine.consumer());
  for (int i = 0; i < 3; ++i) {
    const std::string name = "gone" + std::to_string(i);
    create_topic(opened.engine, name, 2, {{"segment.bytes", "16384"}});
    for (int k = 0; k < 10; ++k) {
      must(plain.send_sync({.topic = name, .value = std::string(5'000, 'x'), .partition = 0}));
      must(lingering.send_sync({.topic = name, .value = std::string(5'000, 'x'), .partition = 1}));
    }
    Transaction transaction = must(transactions.begin());
    must(transaction.send({.topic = name, .value = "v", .partition = 0}));
    must(transaction.commit());
    must(consumer.assign({{name, 0}}));
    CHECK_FALSE(must(consumer.poll(std::chrono::milliseconds(0))).empty());
    must(consumer.assign({}));
    must(opened.engine.admin().delete_topic(name));
  }
  CHECK(mapped_deleted_files(opened.path()) == 0);
  CHECK(opened.engine.metrics().pinned_deleted_bytes == 0);
  const auto refused = plain.send_sync({.topic = "gone0", .value = "x"});
  CHECK(test::code_of(refused) == Errc::unknown_topic_or_partition);
}

TEST_CASE("what readers hold of a deleted topic is counted until they let go, and stays readable") {
  OpenedEngine opened;
  create_topic(opened.engine, "gone", 1, {{"segment.bytes", "16384"}});
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  for (int k = 0; k < 10; ++k) must(producer.send_sync({.topic = "gone", .value = std::string(5'000, 'x')}));
  Consumer consumer = must(opened.engine.consumer());
  must(consumer.assign({{"gone", 0}}));
  {
    const ConsumerRecords held = must(consumer.poll(std::chrono::milliseconds(0)));
    REQUIRE_FALSE(held.empty());
    must(opened.engine.admin().delete_topic("gone"));
    CHECK(opened.engine.metrics().pinned_deleted_bytes > 0);
    for (const RecordView& record : held) CHECK(record.value().text() == std::string(5'000, 'x'));
  }
  // The consumer's own place in the log goes with its next use.
  static_cast<void>(consumer.poll(std::chrono::milliseconds(0)).ok());
  CHECK(opened.engine.metrics().pinned_deleted_bytes == 0);
  CHECK(mapped_deleted_files(opened.path()) == 0);
}

TEST_CASE("a handle of a deleted topic does not bring its files back") {
  OpenedEngine opened;
  create_topic(opened.engine, "gone", 4);
  const auto impl = detail::EngineImpl::of(opened.engine);
  const TopicPtr before = must(impl->topic("gone"));
  must(opened.engine.admin().delete_topic("gone"));
  // One that was never opened.
  CHECK(test::code_of(before->partitions[3]->log()) == Errc::unknown_topic_or_partition);
  create_topic(opened.engine, "gone", 4);
  CHECK(test::code_of(before->partitions[3]->log()) == Errc::unknown_topic_or_partition);
  CHECK(must(impl->topic("gone"))->partitions[3]->log());
}

}  // namespace
}  // namespace seriatim::directory
