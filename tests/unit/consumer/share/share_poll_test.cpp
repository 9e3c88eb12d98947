// The records of a poll: which, in which order, and to whom.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "unit/consumer/share/share_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("share: implicit mode accepts with the next poll, commit_sync and close, not with a death") {
  ShareFixture f;
  f.append({2, 2, 2});
  {
    auto consumer = f.one_by_one(implicit_mode, 2);
    CHECK(share_polled(consumer) == "0x1 1x1");
    CHECK(share_polled(consumer) == "2x1 3x1");
  }
  {
    auto consumer = f.one_by_one(implicit_mode, 2);
    CHECK(share_polled(consumer) == "2x2 3x2");
    must(consumer.close());
    CHECK(code_of(consumer.poll(0ms)) == Errc::closed);
  }
  auto consumer = f.one_by_one(implicit_mode, 2);
  CHECK(share_polled(consumer) == "4x1 5x1");
  must(consumer.commit_sync());
  CHECK(f.progress().lag == 0);
  CHECK(code_of(consumer.acknowledge(t0, 4, accept)) == Errc::invalid_state);
}

TEST_CASE("share: members take turns in one partition, by batch or by record (kafka-groups 2.4)") {
  for (const bool by_record : {false, true}) {
    CAPTURE(by_record);
    ShareFixture f;
    f.append({10, 10, 1, 1, 1, 1});
    const ShareConsumerOptions options{
        .acquire_mode = by_record ? ShareAcquireMode::record_limit : ShareAcquireMode::batch_optimized,
        .max_poll_records = 3};
    auto a = f.member(implicit_mode, options);
    auto b = f.member(implicit_mode, options);
    const auto range = [](ShareConsumer& consumer) {
      const ShareRecords records = must(consumer.poll(0ms));
      if (records.empty()) return std::string("-");
      return std::to_string(records[0].offset()) + ".." +
             std::to_string(records[records.count() - 1].offset());
    };
    const std::vector<std::string> rows =
        by_record ? std::vector<std::string>{"0..2", "3..5", "6..8", "9..11", "12..14"}
                  : std::vector<std::string>{"0..9", "10..19", "20..22", "23..23", "-"};
    CHECK(range(a) == rows[0]);
    CHECK(range(b) == rows[1]);
    CHECK(range(a) == rows[2]);
    CHECK(range(b) == rows[3]);
    CHECK(range(b) == rows[4]);
  }
}

TEST_CASE("share: the window is bounded, and moves on with the first that is done (kafka-groups 2.5)") {
  ShareFixture f;
  f.configure({{"share.partition.max.record.locks", "100"}});
  for (int i = 0; i < 250; ++i) f.append({1});
  auto a = f.member(explicit_mode);
  auto b = f.member(explicit_mode);
  CHECK(must(a.poll(0ms)).count() == 100);
  CHECK(share_polled(b).empty());
  for (Offset offset = 50; offset < 60; ++offset) must(a.acknowledge(t0, offset, accept));
  must(a.commit_sync());
  CHECK(share_polled(b).empty());
  for (Offset offset = 0; offset < 10; ++offset) must(a.acknowledge(t0, offset, accept));
  must(a.commit_sync());
  const ShareRecords next = must(b.poll(0ms));
  CHECK(next.count() == 10);
  CHECK(next[0].offset() == 100);
}

TEST_CASE("share: released records come first, and bad ones alone at last") {
  ShareFixture f;
  f.configure({{"share.delivery.count.limit", "3"}});
  f.append({4});
  auto consumer = f.member(explicit_mode);
  CHECK(share_answered(consumer, release) == "0x1 1x1 2x1 3x1");
  f.append({2});
  CHECK(share_answered(consumer, release) == "0x2 1x2 2x2 3x2 4x1 5x1");
  CHECK(share_answered(consumer, accept) == "0x3");
  CHECK(share_answered(consumer, accept) == "1x3");
}

TEST_CASE("share: a topic of higher priority comes first, others when it is empty") {
  ShareFixture f;
  create_topic(f.engine, "urgent");
  f.append({1, 1});
  auto consumer = f.consumer(implicit_mode, {.acquire_mode = ShareAcquireMode::record_limit,
                                             .max_poll_records = 1,
                                             .topic_priority = {{"urgent", 1}}});
  must(consumer.subscribe({"t", "urgent"}));
  const auto topic = [&] {
    const ShareRecords records = must(consumer.poll(0ms));
    return std::string(records[0].topic());
  };
  CHECK(topic() == "t");
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "urgent", .value = "v"}));
  CHECK(topic() == "urgent");
  CHECK(topic() == "t");
}

TEST_CASE("share: a back-off keeps what was released, longer each time; other records pass it") {
  ShareFixture f;
  f.configure({{"share.retry.backoff.ms", "10s"},
               {"share.retry.backoff.max.ms", "15s"},
               {"share.retry.backoff.jitter", "0"}});
  f.append({1, 1});
  auto consumer = f.one_by_one(explicit_mode);
  CHECK(share_answered(consumer, release) == "0x1");
  CHECK(share_answered(consumer, accept) == "1x1");
  CHECK(share_polled(consumer).empty());
  f.advance(10s);
  CHECK(share_answered(consumer, release) == "0x2");
  f.advance(14'999ms);
  CHECK(share_polled(consumer).empty());
  f.advance(1ms);
  CHECK(share_answered(consumer, accept) == "0x3");
}

}  // namespace
}  // namespace seriatim::test
