// Answers for records: stored, kept by a kill, refused, told.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("share: what was accepted is never delivered again, what was released is, with its count") {
  ShareFixture f;
  f.append({3});
  {
    auto consumer = f.member(explicit_mode);
    const ShareRecords records = must(consumer.poll(0ms));
    CHECK(text_of(records) == "0x1 1x1 2x1");
    must(consumer.acknowledge(records[0], accept));
    must(consumer.acknowledge(records[1], release));
    must(consumer.acknowledge(records[2], accept));
    must(consumer.commit_sync());
    CHECK(share_polled(consumer) == "1x2");
  }
  f.reopen();
  auto later = f.member(explicit_mode);
  CHECK(share_answered(later, accept) == "1x3");
  CHECK(share_polled(later).empty());
  CHECK(f.progress().lag == 0);
  CHECK(f.progress().start_offset == 3);
}

TEST_CASE("share: a kill keeps what was accepted and the counts of what was delivered") {
  ShareFixture f;
  f.append({6});
  auto consumer = f.member(explicit_mode);
  const ShareRecords records = must(consumer.poll(0ms));
  must(consumer.acknowledge(records[1], accept));
  must(consumer.acknowledge(records[2], release));
  must(consumer.acknowledge(records[3], reject));
  must(consumer.commit_sync());
  const Engine killed = open_engine_with(copy_of(f.engine, f.directory), os::posix_vfs(), f.clock);
  auto again = must(killed.share_consumer({.group_id = "g"}));
  must(again.subscribe({"t"}));
  CHECK(share_polled(again) == "0x2 2x2 4x2 5x2");
}

TEST_CASE("share: a record that comes back for the last time dies") {
  ShareFixture f;
  f.configure({{"share.delivery.count.limit", "2"}});
  f.append({1, 1});
  auto consumer = f.one_by_one(explicit_mode);
  CHECK(share_answered(consumer, release) == "0x1");
  CHECK(share_answered(consumer, release) == "0x2");
  CHECK(share_answered(consumer, accept) == "1x1");
  CHECK(share_polled(consumer).empty());
}

TEST_CASE("share: explicit mode asks for every answer, and the last one counts") {
  ShareFixture f;
  f.append({3});
  auto consumer = f.member(explicit_mode);
  CHECK(share_polled(consumer) == "0x1 1x1 2x1");
  must(consumer.acknowledge(t0, 0, accept));
  must(consumer.acknowledge(t0, 0, release));
  auto refused = consumer.poll(0ms);
  CHECK(code_of(refused) == Errc::invalid_state);
  CHECK(message_of(refused).find("offset 1") != std::string::npos);
  CHECK(code_of(consumer.acknowledge(t0, 7, accept)) == Errc::invalid_state);
  must(consumer.acknowledge(t0, 1, accept));
  must(consumer.acknowledge(t0, 2, accept));
  must(consumer.commit_sync());
  CHECK(code_of(consumer.acknowledge(t0, 1, accept)) == Errc::invalid_state);
  CHECK(share_polled(consumer) == "0x2");
}

TEST_CASE("share: a commit of some answers leaves the other records with their member") {
  ShareFixture f;
  f.append({3});
  auto consumer = f.member(explicit_mode);
  auto other = f.member(explicit_mode);
  CHECK(share_polled(consumer) == "0x1 1x1 2x1");
  must(consumer.acknowledge(t0, 1, accept));
  must(consumer.commit_sync());
  CHECK(share_polled(other).empty());
  must(consumer.acknowledge(t0, 0, accept));
  must(consumer.acknowledge(t0, 2, accept));
  CHECK(share_polled(consumer).empty());
  CHECK(f.progress().lag == 0);
}

TEST_CASE("share: a lock that ran out gives the record to another, and the late answer is refused") {
  ShareFixture f;
  f.append({2});
  auto late = f.member(explicit_mode);
  auto other = f.member(explicit_mode);
  CHECK(share_polled(late) == "0x1 1x1");
  f.advance(29'999ms);
  CHECK(share_polled(other).empty());
  f.advance(2ms);
  CHECK(share_polled(other) == "0x2 1x2");
  must(late.acknowledge(t0, 0, accept));
  must(late.acknowledge(t0, 1, accept));
  auto refused = late.commit_sync();
  CHECK(code_of(refused) == Errc::invalid_record_state);
  CHECK(message_of(refused).find("t-0") != std::string::npos);
  must(other.acknowledge(t0, 0, accept));
  must(other.acknowledge(t0, 1, accept));
  must(other.commit_sync());
  CHECK(share_polled(late).empty());
}

TEST_CASE("share: answers that a poll could not store are told to the callback") {
  ShareFixture f;
  f.append({1});
  auto late = f.member(explicit_mode);
  std::string told;
  late.set_acknowledgement_callback(
      [&](const TopicPartition& at, std::span<const Offset> offsets, const Result<>& outcome) {
        told += at.topic + std::to_string(offsets.size()) + (outcome ? "ok " : "refused ");
      });
  CHECK(share_polled(late) == "0x1");
  must(late.acknowledge(t0, 0, accept));
  f.advance(31s);
  CHECK(share_polled(late) == "0x2");
  CHECK(told == "t1refused ");
  must(late.acknowledge(t0, 0, accept));
  CHECK(share_polled(late).empty());
  CHECK(told == "t1refused t1ok ");
}

TEST_CASE("share: a renewed record stays with its member, and comes again alone with the same count") {
  ShareFixture f;
  f.append({1, 1});
  auto consumer = f.one_by_one(explicit_mode);
  auto other = f.one_by_one(explicit_mode);
  CHECK(share_polled(consumer) == "0x1");
  for (int i = 0; i < 3; ++i) {
    f.advance(20s);
    must(consumer.acknowledge(t0, 0, renew));
    must(consumer.commit_sync());
    CHECK(f.progress().acquired == 1);
  }
  CHECK(share_polled(consumer) == "0x1");
  CHECK(share_polled(other) == "1x1");
  must(consumer.acknowledge(t0, 0, accept));
  must(consumer.commit_sync());
  f.advance(60s);
  CHECK(share_polled(consumer) == "1x2");
}

TEST_CASE("share: a renewed record that the log has no more is let go of") {
  ShareFixture f;
  f.append({1, 1});
  auto consumer = f.one_by_one(explicit_mode);
  CHECK(share_polled(consumer) == "0x1");
  must(consumer.acknowledge(t0, 0, renew));
  must(consumer.commit_sync());
  must(f.engine.admin().delete_records(t0, 1));
  CHECK(share_polled(consumer) == "1x1");
}

TEST_CASE("share: a callback that calls its consumer is refused") {
  ShareFixture f;
  f.append({1});
  auto consumer = f.member(explicit_mode);
  Errc told{};
  consumer.set_acknowledgement_callback([&](const TopicPartition&, std::span<const Offset>, const Result<>&) {
    told = code_of(consumer.unsubscribe());
  });
  CHECK(share_answered(consumer, accept) == "0x1");
  CHECK(told == Errc::invalid_state);
}

TEST_CASE("share: renewing is refused where the group does not allow it") {
  ShareFixture f;
  f.configure({{"share.renew.acknowledge.enable", "false"}});
  f.append({1});
  auto consumer = f.member(explicit_mode);
  CHECK(share_polled(consumer) == "0x1");
  CHECK(code_of(consumer.acknowledge(t0, 0, renew)) == Errc::invalid_record_state);
  must(consumer.acknowledge(t0, 0, accept));
  must(consumer.commit_sync());
}

}  // namespace
}  // namespace seriatim::test
