// The deliveries of one partition: beside transactions, where a group begins, without records that are gone.
#include "consumer/share/share_source.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("share: records of aborted transactions are not delivered, unless the group wants them") {
  for (const bool wants_all : {false, true}) {
    CAPTURE(wants_all);
    ShareFixture f;
    if (wants_all) f.configure({{"share.isolation.level", "read_uncommitted"}});
    auto sender = must(f.engine.transactional_producer({.transactional_id = "x"}));
    for (const bool commits : {false, true}) {
      auto transaction = must(sender.begin());
      must(transaction.send({.topic = "t", .value = "v"}));
      must(commits ? transaction.commit() : transaction.abort());
    }
    auto open = must(sender.begin());
    must(open.send({.topic = "t", .value = "v"}));
    auto consumer = f.member(implicit_mode);
    CHECK(share_polled(consumer) == (wants_all ? "0x1 2x1 4x1" : "2x1"));
    CHECK(share_polled(consumer).empty());
    must(open.commit());
    CHECK(share_polled(consumer) == (wants_all ? "" : "4x1"));
    must(consumer.close());
    // Behind the last record lies a marker.
    CHECK(f.progress().lag == 0);
  }
}

TEST_CASE("share: where a group begins is its setting, and new topics and partitions are found") {
  ShareFixture f;
  f.configure({{"share.auto.offset.reset", "latest"}});
  f.append({2});
  auto consumer = f.consumer(implicit_mode);
  must(consumer.subscribe({"t", "later"}));
  CHECK(share_polled(consumer).empty());
  f.append({1});
  CHECK(share_polled(consumer) == "2x1");
  f.configure({{"share.auto.offset.reset", ""}});
  create_topic(f.engine, "later");
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "later", .value = "v"}));
  CHECK(share_polled(consumer) == "0x1");
  must(f.engine.admin().create_partitions("later", 2));
  must(producer.send_sync({.topic = "later", .value = "v", .partition = 1}));
  CHECK(share_polled(consumer) == "0x1");
  must(f.engine.admin().delete_topic("later"));
  CHECK(share_polled(consumer).empty());
}

TEST_CASE("share: records that the log has no more are passed") {
  ShareFixture f;
  f.append({1, 1, 1, 1});
  auto consumer = f.one_by_one(explicit_mode, 2);
  CHECK(share_polled(consumer) == "0x1 1x1");
  must(f.engine.admin().delete_records(t0, 3));
  must(consumer.acknowledge(t0, 0, release));
  must(consumer.acknowledge(t0, 1, accept));
  must(consumer.commit_sync());
  CHECK(share_polled(consumer) == "3x1");
}

TEST_CASE("share: what a poll cannot read costs no delivery, and comes when it can be read") {
  ShareFixture f;
  f.configure({{"share.delivery.count.limit", "3"}});
  f.append({1, 1});
  auto consumer = f.one_by_one(explicit_mode, 2);
  CHECK(share_answered(consumer, AcknowledgeType::release) == "0x1 1x1");
  const std::string log = f.directory / "data/log/t-0/00000000000000000000.log";
  // In place: the log is mapped.
  const auto flip = [&] {
    constexpr std::streamoff in_first_batch = 65;
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(in_first_batch);
    const int byte = file.get();
    file.seekp(in_first_batch);
    REQUIRE(file.put(static_cast<char>(byte ^ 1)).flush());
  };
  flip();
  for (int i = 0; i < 10; ++i) CHECK(code_of(consumer.poll(0ms)) == Errc::corrupt_record);
  flip();
  CHECK(share_answered(consumer, AcknowledgeType::release) == "0x2 1x2");
  // Records before the damage come; those behind it wait.
  f.append({1});
  CHECK(share_polled(consumer) == "0x3");
}

TEST_CASE("share: records that a changed isolation level hides are not lost") {
  ShareFixture f;
  f.configure({{"share.isolation.level", "read_uncommitted"}});
  auto sender = must(f.engine.transactional_producer({.transactional_id = "x"}));
  auto open = must(sender.begin());
  must(open.send({.topic = "t", .value = "v"}));
  auto consumer = f.member(explicit_mode);
  CHECK(share_answered(consumer, AcknowledgeType::release) == "0x1");
  f.configure({{"share.isolation.level", "read_committed"}});
  CHECK(share_polled(consumer).empty());
  CHECK(text_of(must(consumer.poll(120ms))).empty());
  must(open.commit());
  CHECK(share_polled(consumer) == "0x2");
}

}  // namespace
}  // namespace seriatim::test
