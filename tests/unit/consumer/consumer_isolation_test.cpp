// The records of transactions that a consumer sees (kafka-log 5.8).
#include <poll.h>

#include <thread>

#include "unit/api/transaction_writer.hpp"

namespace seriatim::test {
namespace {

using Offsets = std::vector<Offset>;

Consumer consumer_of(const Engine& engine, ConsumerOptions options = {}) {
  auto consumer = must(engine.consumer(std::move(options)));
  must(consumer.assign_topic("t"));
  return consumer;
}
Offsets polled(Consumer& consumer) { return offsets_of(must(consumer.poll(no_wait))); }

TEST_CASE("INV-8: nothing of an open transaction is seen, nor what is behind it, until it is committed") {
  OpenedEngine opened;
  TransactionWriter writer(opened.engine, "t");
  auto committed = consumer_of(opened.engine);
  auto all = consumer_of(opened.engine, {.isolation_level = IsolationLevel::read_uncommitted});
  append_batch(opened.engine, t0);
  writer.send();
  append_batch(opened.engine, t0);
  CHECK(polled(committed) == Offsets{0});
  CHECK(polled(committed).empty());
  CHECK(polled(all) == Offsets{0, 1, 2});
  writer.mark(ControlType::commit);
  CHECK(polled(committed).empty());
  writer.release();
  CHECK(polled(committed) == Offsets{1, 2});
  CHECK(polled(all).empty());
}

TEST_CASE("INV-8: records of an aborted transaction are never seen, and the position passes them") {
  OpenedEngine opened;
  TransactionWriter aborts(opened.engine, "t", 1);
  TransactionWriter commits(opened.engine, "t", 2);
  append_batch(opened.engine, t0);
  aborts.send();       // 1
  commits.send(0, 2);  // 2, 3
  aborts.send();       // 4
  aborts.end(ControlType::abort);
  commits.end(ControlType::commit);
  commits.send();  // 7
  commits.end(ControlType::abort);
  auto committed = consumer_of(opened.engine, {.group_id = "g"});
  CHECK(polled(committed) == Offsets{0, 2, 3});
  CHECK(must(committed.position(t0)) == 9);
  CHECK(must(committed.lag(t0)) == 0);
  must(committed.commit_sync());
  CHECK(must(committed.committed(t0))->offset == 9);
  auto all = consumer_of(opened.engine, {.isolation_level = IsolationLevel::read_uncommitted});
  CHECK(polled(all) == Offsets{0, 1, 2, 3, 4, 7});
}

TEST_CASE("a position moves over aborted records alone, and nothing waits for them again") {
  OpenedEngine opened;
  auto consumer = consumer_of(opened.engine);
  TransactionWriter writer(opened.engine, "t");
  for (int i = 0; i < 5; ++i) {
    writer.send(0, 3);
    writer.end(ControlType::abort);
    CHECK(polled(consumer).empty());
    CHECK(must(consumer.position(t0)) == must(consumer.end_offset(t0)));
  }
}

TEST_CASE("aborted records are skipped in the middle of polls that take little, and from any position") {
  OpenedEngine opened(1, {{"segment.bytes", "1024"}});
  TransactionWriter aborts(opened.engine, "t", 1);
  TransactionWriter commits(opened.engine, "t", 2);
  Offsets expected;
  for (int i = 0; i < 40; ++i) {
    aborts.send(0, 2);
    const Offset first = commits.send(0, 3);
    for (Offset at = first; at < first + 3; ++at) expected.push_back(at);
    if (i % 3 == 0) aborts.end(ControlType::abort);
    if (i % 5 == 0) commits.end(ControlType::commit);
  }
  aborts.end(ControlType::abort);
  commits.end(ControlType::commit);
  for (const std::size_t limit : {std::size_t{1}, std::size_t{4}, std::size_t{500}}) {
    auto consumer = consumer_of(opened.engine, {.max_poll_records = limit});
    for (Offset from = 0; from <= must(consumer.end_offset(t0)); from += limit == 500 ? 1 : 37) {
      must(consumer.seek(t0, from));
      Offsets seen;
      for (const auto& record : drain(consumer)) seen.push_back(record.offset);
      Offsets rest;
      for (const Offset offset : expected) {
        if (offset >= from) rest.push_back(offset);
      }
      REQUIRE(seen == rest);
      REQUIRE(must(consumer.lag(t0)) == 0);
    }
  }
}

TEST_CASE("behind markers a group has no lag, also where a poll ends at its limit") {
  OpenedEngine opened;
  TransactionWriter aborts(opened.engine, "t", 1);
  TransactionWriter commits(opened.engine, "t", 2);
  commits.send(0, 4);
  aborts.send(0, 3);
  commits.end(ControlType::commit);
  aborts.end(ControlType::abort);
  for (const std::size_t limit : {std::size_t{4}, std::size_t{2}, std::size_t{1}}) {
    const std::string group = "g" + std::to_string(limit);
    auto consumer = consumer_of(opened.engine, {.group_id = group, .max_poll_records = limit});
    for (std::size_t polls = 0; polls < 4 / limit; ++polls) {
      CHECK(polled(consumer).size() == limit);
      must(consumer.commit_sync());
    }
    CHECK(must(consumer.lag(t0)) == 0);
    const auto offsets = must(opened.engine.admin().group_offsets(group));
    REQUIRE(offsets.size() == 1);
    CHECK(offsets[0].committed.offset == offsets[0].log_end_offset);
  }
}

TEST_CASE("end, lag, seek to the end and times are bounded by the last stable offset, as the level says") {
  OpenedEngine opened;
  TransactionWriter writer(opened.engine, "t");
  append_batch(opened.engine, t0, {.timestamp_ms = 1'000});
  writer.send();
  append_batch(opened.engine, t0, {.timestamp_ms = 5'000});
  const Timestamp late{std::chrono::milliseconds(5'000)};
  for (const auto level : {IsolationLevel::read_committed, IsolationLevel::read_uncommitted}) {
    const Offset end = level == IsolationLevel::read_committed ? 1 : 3;
    auto consumer = consumer_of(opened.engine, {.isolation_level = level});
    CHECK(must(consumer.end_offset(t0)) == end);
    CHECK(must(consumer.lag(t0)) == end);
    must(consumer.seek_to_end());
    CHECK(must(consumer.position(t0)) == end);
    CHECK(must(consumer.offsets_for_times({{t0, late}})).at(t0).has_value() == (end == 3));
    must(consumer.seek_to_time(late));
    CHECK(must(consumer.position(t0)) == (end == 3 ? 2 : 1));
    auto latest =
        consumer_of(opened.engine, {.auto_offset_reset = AutoOffsetReset::latest, .isolation_level = level});
    CHECK(must(latest.position(t0)) == end);
  }
}

TEST_CASE("a position behind an open transaction waits there") {
  OpenedEngine opened;
  TransactionWriter writer(opened.engine, "t");
  writer.send(0, 2);
  append_batch(opened.engine, t0);
  auto consumer = consumer_of(opened.engine);
  must(consumer.seek(t0, 2));
  CHECK(polled(consumer).empty());
  CHECK(must(consumer.position(t0)) == 2);
  CHECK(must(consumer.lag(t0)) == 0);
  writer.end(ControlType::abort);
  CHECK(polled(consumer) == Offsets{2});
}

TEST_CASE("INV-8: a transaction over partitions is seen in all of them by the poll that sees any of it") {
  OpenedEngine opened(3);
  TransactionWriter writer(opened.engine, "t");
  for (PartitionId p = 0; p < 3; ++p) writer.send(p);
  auto consumer = consumer_of(opened.engine);
  writer.mark(ControlType::commit);
  CHECK(polled(consumer).empty());
  writer.release();
  CHECK(polled(consumer).size() == 3);
}

TEST_CASE("INV-8: beside a committing thread, every poll sees whole transactions") {
  constexpr PartitionId partitions = 3;
  constexpr int transactions = 300;
  OpenedEngine opened(partitions);
  std::thread committer([&] {
    TransactionWriter writer(opened.engine, "t");
    for (int i = 0; i < transactions; ++i) {
      for (PartitionId p = 0; p < partitions; ++p) writer.send(p);
      writer.end(i % 4 == 0 ? ControlType::abort : ControlType::commit);
    }
  });
  auto consumer = consumer_of(opened.engine, {.max_poll_records = 100'000});
  std::vector<int> counts(partitions);
  bool is_whole = true;
  while (counts.front() < transactions * 3 / 4 && is_whole) {
    const auto records = must(consumer.poll(long_wait));
    for (const RecordView& record : records) ++counts[static_cast<std::size_t>(record.partition())];
    for (const int count : counts) is_whole = is_whole && count == counts.front();
  }
  committer.join();
  CHECK(is_whole);
  CHECK(must(consumer.poll(no_wait)).empty());
}

TEST_CASE("a waiting poll gets a transaction when it is released, under every wait strategy") {
  OpenedEngine opened;
  TransactionWriter writer(opened.engine, "t");
  for (const auto strategy : {WaitStrategy::block, WaitStrategy::yield, WaitStrategy::spin}) {
    auto consumer =
        consumer_of(opened.engine, {.auto_offset_reset = AutoOffsetReset::latest, .wait_strategy = strategy});
    must(consumer.position(t0));
    const Offset sent = writer.send();
    writer.mark(ControlType::commit);
    std::thread releaser([&] {
      REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
      writer.release();
    });
    const auto records = must(poll_when_free(consumer, std::chrono::milliseconds::max()));
    releaser.join();
    CHECK(offsets_of(records) == Offsets{sent});
  }
}

TEST_CASE("undecided records are no news: a poll leaves its descriptor quiet, a release rings it") {
  OpenedEngine opened;
  TransactionWriter writer(opened.engine, "t");
  auto consumer = consumer_of(opened.engine);
  const int descriptor = consumer.event_fd();
  REQUIRE(descriptor >= 0);
  const auto rings = [&] {
    pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, 0) == 1;
  };
  writer.send();
  CHECK(polled(consumer).empty());
  CHECK_FALSE(rings());
  writer.mark(ControlType::commit);
  CHECK(polled(consumer).empty());
  writer.release();
  CHECK(rings());
  CHECK(polled(consumer).size() == 1);
}

TEST_CASE("INV-8: a reader whose segments compaction has replaced goes on in the new ones") {
  OpenedEngine opened(1, {{"cleanup.policy", "compact"}, {"segment.bytes", "1024"}});
  TransactionWriter aborts(opened.engine, "t", 1);
  TransactionWriter commits(opened.engine, "t", 2);
  for (int i = 0; i < 30; ++i) {
    aborts.send();
    commits.send();
    aborts.end(i % 2 == 0 ? ControlType::abort : ControlType::commit);
    commits.end(ControlType::commit);
  }
  auto consumer = consumer_of(opened.engine, {.max_poll_records = 1});
  auto kept = must(consumer.poll(no_wait));
  REQUIRE(offsets_of(kept) == Offsets{1});
  must(opened.engine.admin().compact("t", true));
  // All records have one key: the newest is left, and what the consumer's own segment still has of others.
  const auto rest = drain(consumer);
  REQUIRE_FALSE(rest.empty());
  CHECK(rest.back().value == "v" + std::to_string(rest.back().offset));
  auto fresh = consumer_of(opened.engine);
  const auto left = drain(fresh);
  REQUIRE_FALSE(left.empty());
  CHECK(rest.back().offset == left.back().offset);
  for (const auto& record : rest) CHECK((record.offset % 4 == 1 || record.offset / 4 % 2 == 1));
}

TEST_CASE("INV-8: another process sees what was committed, and so does a reader of one partition") {
  OpenedEngine opened;
  TransactionWriter aborts(opened.engine, "t", 1);
  TransactionWriter stays_open(opened.engine, "t", 2);
  append_batch(opened.engine, t0);
  aborts.send();
  aborts.end(ControlType::abort);
  append_batch(opened.engine, t0);
  stays_open.send();
  append_batch(opened.engine, t0);
  const Offsets committed{0, 3};
  const Offsets stored{0, 1, 3, 4, 5};
  const auto check = [&](const Engine& engine) {
    auto consumer = consumer_of(engine);
    CHECK(polled(consumer) == committed);
    CHECK(must(consumer.end_offset(t0)) == 4);
    auto all = consumer_of(engine, {.isolation_level = IsolationLevel::read_uncommitted});
    CHECK(polled(all) == stored);
    const auto reader = must(engine.reader(t0));
    CHECK(reader.high_watermark() == 6);
    CHECK(reader.last_stable_offset() == 4);
    CHECK(offsets_of(must(reader.read(0, 100))) == committed);
    CHECK(must(reader.read(5, 100)).empty());
    CHECK(offsets_of(must(reader.read_backward(6, 100))) == Offsets{3, 0});
    CHECK(offsets_of(must(reader.read_backward(3, 100))) == Offsets{0});
    for (Offset offset = 0; offset < 6; ++offset)
      CHECK(must(reader.record_at(offset)).empty() == (offset != 0 && offset != 3));
    const auto raw = must(engine.reader(t0, {.isolation_level = IsolationLevel::read_uncommitted}));
    CHECK(offsets_of(must(raw.read(0, 100))) == stored);
    CHECK(offsets_of(must(raw.read_backward(6, 100))) == Offsets{5, 4, 3, 1, 0});
    CHECK(must(raw.record_at(4)).count() == 1);
    CHECK(must(reader.fetch(0)).next_offset() == 6);
  };
  check(opened.engine);
  must(opened.engine.close());
  check(open_engine(opened.path(), {.mode = OpenMode::read_only}));
}

TEST_CASE("delete_records ends at an open transaction, and one that is refused has stored nothing") {
  OpenedEngine opened;
  TransactionWriter writer(opened.engine, "t");
  append_batch(opened.engine, t0);
  append_batch(opened.engine, t0);
  writer.send();
  CHECK(code_of(opened.engine.admin().delete_records(t0, 3)) == Errc::offset_out_of_range);
  must(opened.engine.close());
  opened.engine = open_engine(opened.path());
  CHECK(must(opened.engine.admin().list_offset(t0, OffsetSpec::earliest)) == 0);
  OpenedEngine another;
  TransactionWriter open(another.engine, "t");
  append_batch(another.engine, t0);
  open.send();
  CHECK(must(another.engine.admin().delete_records(t0, -1)) == 1);
}

}  // namespace
}  // namespace seriatim::test
