// Dead letters of share groups: Kafka's headers, exactly once for each death (kafka-groups 3).
#include "api/dead_letters.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

std::string header_text(const OwnedRecord& letter) {
  std::string text;
  for (const auto& [name, value] : letter.headers) text += name + "=" + value.value_or("(null)") + "\n";
  return text;
}

TEST_CASE("a rejected record leaves a letter with Kafka's headers, and its own key and value") {
  ShareFixture f;
  f.configure({{"errors.deadletterqueue.topic.name", "dead"}});
  f.append({3});
  auto consumer = f.member(explicit_mode);
  const ShareRecords records = must(consumer.poll(0ms));
  must(consumer.acknowledge(records[0], AcknowledgeType::accept));
  must(consumer.acknowledge(records[1], reject));
  must(consumer.acknowledge(records[2], AcknowledgeType::accept));
  must(consumer.commit_sync());
  const auto letters = read_all(f.engine, "dead");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].key == "k");
  CHECK(letters[0].value == "v");
  CHECK(header_text(letters[0]) ==
        "__dlq.errors.topic=t\n"
        "__dlq.errors.partition=0\n"
        "__dlq.errors.offset=1\n"
        "__dlq.errors.group=g\n"
        "__dlq.errors.delivery.count=1\n"
        "__dlq.errors.message=Offset rejected by client.\n");
  CHECK(share_polled(consumer).empty());
  CHECK(f.progress().lag == 0);
}

TEST_CASE("a record that was delivered too often leaves a letter, by release, by its lock, or by a close") {
  ShareFixture f;
  f.configure({{"errors.deadletterqueue.topic.name", "dead"},
               {"errors.deadletterqueue.copy.record.enable", "false"},
               {"share.delivery.count.limit", "1"}});
  f.append({1, 1, 1, 1});
  auto consumer = f.one_by_one(explicit_mode);
  CHECK(share_answered(consumer, release) == "0x1");
  CHECK(share_polled(consumer) == "1x1");
  f.advance(31s);
  auto other = f.one_by_one(explicit_mode);
  CHECK(share_polled(other) == "2x1");
  must(other.close());
  {
    auto dies = f.one_by_one(explicit_mode);
    CHECK(share_polled(dies) == "3x1");
  }
  const auto letters = read_all(f.engine, "dead");
  REQUIRE(letters.size() == 4);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    CHECK_FALSE(letters[i].key);
    CHECK_FALSE(letters[i].value);
    CHECK(letters[i].headers[2].second == std::to_string(i));
    CHECK(letters[i].headers[5].second == "Offset delivery count exceeded the threshold.");
  }
}

TEST_CASE("a letter goes to the partition of its record, modulo those of the letter topic") {
  ShareFixture f(3);
  create_topic(f.engine, "dead", 2);
  f.configure({{"errors.deadletterqueue.topic.name", "dead"}});
  for (PartitionId i = 0; i < 3; ++i) f.append({1}, i);
  auto consumer = f.member(explicit_mode);
  CHECK(share_answered(consumer, reject) == "0x1 0x1 0x1");
  CHECK(read_all(f.engine, "dead", 0).size() == 2);
  CHECK(read_all(f.engine, "dead", 1).size() == 1);
}

TEST_CASE("a letter that cannot be written is told, and its record does not die in silence") {
  ShareFixture f;
  create_topic(f.engine, "dead", 1, {{"cleanup.policy", "compact"}});
  f.configure({{"errors.deadletterqueue.topic.name", "dead"},
               {"errors.deadletterqueue.copy.record.enable", "false"}});
  f.append({1});
  auto consumer = f.member(explicit_mode);
  CHECK(share_polled(consumer) == "0x1");
  must(consumer.acknowledge(t0, 0, reject));
  auto refused = consumer.commit_sync();
  CHECK_FALSE(refused.ok());
  CHECK(message_of(refused).find("dead") != std::string::npos);
  CHECK(f.progress().lag == 1);
  f.configure({{"errors.deadletterqueue.copy.record.enable", "true"}});
  f.advance(2s);
  CHECK(share_polled(consumer).empty());  // It is dead, but for the letter.
  const auto letters = read_all(f.engine, "dead");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].headers[5].second == "Offset rejected by client.");
  CHECK(f.progress().lag == 0);
}

TEST_CASE("letters are written again after their producer was fenced") {
  ShareFixture f;
  f.configure({{"errors.deadletterqueue.topic.name", "dead"}});
  f.append({2});
  auto consumer = f.one_by_one(explicit_mode);
  CHECK(share_answered(consumer, reject) == "0x1");
  must(f.engine.admin().fence_producer("__share_dead_letters"));
  CHECK(share_polled(consumer) == "1x1");
  must(consumer.acknowledge(t0, 1, reject));
  CHECK(code_of(consumer.commit_sync()) == Errc::producer_fenced);
  CHECK(f.progress().lag == 1);
  f.advance(2s);
  CHECK(share_polled(consumer).empty());
  CHECK(read_all(f.engine, "dead").size() == 2);
  CHECK(f.progress().lag == 0);
}

TEST_CASE("a record larger than the letter topic takes leaves the headers that say where it is") {
  ShareFixture f;
  create_topic(f.engine, "dead", 1, {{"max.message.bytes", "1000"}});
  f.configure({{"errors.deadletterqueue.topic.name", "dead"}});
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "t", .key = "k", .value = std::string(3'000, 'x')}));
  auto consumer = f.member(explicit_mode);
  CHECK(share_answered(consumer, reject) == "0x1");
  const auto letters = read_all(f.engine, "dead");
  REQUIRE(letters.size() == 1);
  CHECK_FALSE(letters[0].value);
  CHECK(letters[0].headers[2].second == "0");
}

TEST_CASE("after a kill at any moment a death and its letter are both there, or neither") {
  ShareFixture f;
  f.configure({{"errors.deadletterqueue.topic.name", "dead"}});
  f.append({4});
  auto consumer = f.one_by_one(explicit_mode, 4);
  CHECK(share_polled(consumer) == "0x1 1x1 2x1 3x1");
  for (Offset offset = 0; offset < 4; ++offset) {
    must(consumer.acknowledge(t0, offset, reject));
    must(consumer.commit_sync());
    const TempDir place;
    const Engine killed = open_engine_with(copy_of(f.engine, place), os::posix_vfs(), f.clock);
    CHECK(read_all(killed, "dead").size() == static_cast<std::size_t>(offset) + 1);
    auto left = must(killed.share_consumer({.group_id = "g"}));
    must(left.subscribe({"t"}));
    CHECK(must(left.poll(0ms)).count() == static_cast<std::size_t>(3 - offset));
  }
}

TEST_CASE("a record that is not to be seen by now does not die without a letter") {
  ShareFixture f;
  f.configure({{"errors.deadletterqueue.topic.name", "dead"}, {"share.isolation.level", "read_uncommitted"}});
  f.append({1});
  auto producer = must(f.engine.transactional_producer({.transactional_id = "worker"}));
  auto transaction = must(producer.begin());
  for (int i = 0; i < 2; ++i) must(transaction.send({.topic = "t", .value = "open"}));
  auto consumer = f.member(explicit_mode);
  CHECK(share_polled(consumer) == "0x1 1x1 2x1");
  f.configure({{"share.isolation.level", "read_committed"}});
  for (Offset offset = 0; offset < 3; ++offset) must(consumer.acknowledge(t0, offset, reject));
  const auto refused = consumer.commit_sync();
  CHECK(code_of(refused) == Errc::invalid_state);
  CHECK(message_of(refused).find("offset 1") != std::string::npos);
  CHECK(f.engine.admin().describe_topic("dead").ok());
  CHECK(read_all(f.engine, "dead").empty());
  must(transaction.commit());
  f.advance(2s);
  CHECK(share_polled(consumer).empty());
  CHECK(read_all(f.engine, "dead").size() == 3);
  CHECK(f.progress().lag == 0);
}

}  // namespace
}  // namespace seriatim::test
