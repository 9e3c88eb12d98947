// The end of a parallel consumer, and its partitions' coming and going: nothing that was finished and
// committed is handled again, and nothing is left out.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include "flow/parallel/finished_ranges.hpp"
#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

/// Handles what is left for group g, until partition 0 is committed up to there; the values by key.
ValuesByKey handle_rest(const ParallelFixture& f, Offset until, std::uint64_t* spared = nullptr) {
  Seen seen;
  ParallelConsumer consumer = f.open(in_parallel(), [&](const RecordView& record) {
    seen.note(record);
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return f.committed_offset() >= until; });
  consumer.stop();
  must(consumer.wait());
  if (spared != nullptr) *spared = consumer.status().repeats_spared;
  return seen.values();
}

std::size_t distinct(const ValuesByKey& values) {
  return std::set<std::pair<std::string, std::string>>(values.begin(), values.end()).size();
}

}  // namespace

TEST_CASE("a stop handles and commits all that was polled") {
  const ParallelFixture f;
  f.send_many(300, 20);
  Door door;
  Seen seen;
  ParallelConsumer consumer = f.open(in_parallel(2), [&](const RecordView& record) {
    door.pass();
    seen.note(record);
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return consumer.status().in_flight_records == 300; });
  consumer.stop();
  door.open();
  must(consumer.wait());
  CHECK(seen.count() == 300);
  CHECK(f.committed_offset() == 300);
}

TEST_CASE("a stop does not wait for a retry; what waits comes again, the rest behind it does not") {
  const ParallelFixture f;
  f.send_many(100, 10);
  ParallelConsumerOptions options = in_parallel(2);
  options.backoff.initial = 1h;
  options.backoff.max = 1h;
  options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
  {
    ParallelConsumer consumer = f.open(options, [&](const RecordView& record) -> Result<> {
      if (record.value().text() == "3") return Error(Errc::io_error, "later");
      return {};
    });
    must(consumer.start());
    wait_until([&] { return consumer.status().handled_records == 90; });
    CHECK(consumer.status().waiting_keys == 1);
    consumer.stop();
    must(consumer.wait());
  }
  CHECK(f.committed_offset() == 3);
  std::uint64_t spared = 0;
  ValuesByKey again = handle_rest(f, 100, &spared);
  CHECK(spared == 87);  // 90 but for the three before the position
  REQUIRE(again.size() == 10);
  for (int i = 0; i < 10; ++i)
    CHECK(again[static_cast<std::size_t>(i)] ==
          std::pair<std::string, std::string>("k3", std::to_string(i * 10 + 3)));
}

TEST_CASE(
    "a handler that never returns: wait says so, what is finished is kept, and its record comes again") {
  const ParallelFixture f;
  f.send_many(100, 100);
  Door door;
  ParallelConsumerOptions options = in_parallel(2);
  options.stop_timeout = 0ms;
  ParallelConsumer consumer = f.open(options, [&](const RecordView& record) {
    if (record.offset() == 40) door.pass();
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return consumer.status().handled_records == 99; });
  consumer.stop();
  const auto ended = consumer.wait();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == Errc::timed_out);
  CHECK(ended.error().message().find("in-0 offset 40") != std::string::npos);
  CHECK(f.committed_offset() == 40);
  // The group has been left: another one handles it, while the first handler still stands there.
  CHECK(handle_rest(f, 100) == ValuesByKey{{"k40", "40"}});
  CHECK(code_of(consumer.wait()) == Errc::timed_out);
  door.open();  // The destructor waits for it.
}

TEST_CASE("stop_now drops what no handler has; it comes again") {
  const ParallelFixture f;
  f.send_many(100, 100);
  Door door;
  Seen seen;
  {
    ParallelConsumer consumer = f.open(in_parallel(2), [&](const RecordView& record) {
      door.pass();
      seen.note(record);
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(2);
    consumer.stop_now();
    door.open();
    must(consumer.wait());
  }
  CHECK(seen.count() == 2);
  ValuesByKey all = handle_rest(f, 100);
  for (const auto& value : seen.values()) all.push_back(value);
  CHECK(all.size() == 100);
  CHECK(distinct(all) == 100);
}

TEST_CASE("destroyed while handlers hold records, it waits for them, and commits them") {
  const ParallelFixture f;
  f.send_many(10, 1);
  Door door;
  std::thread opens;
  {
    ParallelConsumer consumer = f.open(in_parallel(1), [&](const RecordView&) {
      door.pass();
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(1);
    consumer.stop_now();
    opens = std::thread([&] { door.open(); });
  }
  opens.join();
  CHECK(f.committed_offset() == 1);
}

TEST_CASE("ranges of a log that is not there any more are not believed; nothing of them is left out") {
  const ParallelFixture f;
  f.send_many(20, 20);
  const detail::FinishedRanges wrong{.ranges = {{5, 15}}, .mark = {.offset = 14, .fingerprint = 1}};
  {
    Consumer consumer = must(f.engine.consumer({.group_id = "g"}));
    must(consumer.commit_sync({{{"in", 0}, {.offset = 2, .metadata = encode_finished(2, wrong)}}}));
  }
  CHECK(handle_rest(f, 20).size() == 18);
}

TEST_CASE("metadata of others is no obstacle, and is replaced") {
  const ParallelFixture f;
  f.send_many(10, 10);
  {
    Consumer consumer = must(f.engine.consumer({.group_id = "g"}));
    must(consumer.commit_sync({{{"in", 0}, {.offset = 2, .metadata = "seriatim-parallel/9 node-7"}}}));
  }
  CHECK(handle_rest(f, 10).size() == 8);
  CHECK(f.committed()->metadata.empty());
}

TEST_CASE("a partition with too many ranges for a commit is not polled until there are fewer; all are kept") {
  const ParallelFixture f;
  f.send_many(1'000, 1'000);
  ParallelConsumerOptions options = in_parallel(2);
  options.backoff = {.initial = 1h, .max = 1h};
  options.on_failure = [](const ParallelFailure&) { return OnFailure::retry; };
  std::uint64_t finished = 0;
  {
    // Of two records one waits: each that is finished is a range.
    ParallelConsumer consumer = f.open(options, [](const RecordView& record) -> Result<> {
      if (record.offset() % 2 == 0) return Error(Errc::io_error, "later");
      return {};
    });
    must(consumer.start());
    wait_until([&] { return consumer.status().handled_records == 500; });
    wait_until([&] { return consumer.status().waiting_keys == 500; });
    f.send_many(3'000, 1'000);
    // The poller looks every 20 ms: it would poll more, if it did.
    std::this_thread::sleep_for(100ms);
    finished = consumer.status().handled_records;
    // A few polls more, until it looks again.
    CHECK(finished <= 1'250);
    consumer.stop();
    must(consumer.wait());
  }
  std::uint64_t spared = 0;
  CHECK(handle_rest(f, 4'000, &spared).size() == 4'000 - finished);
  CHECK(spared == finished);
}

TEST_CASE("a partition that goes to another member takes its finished records along: none is handled twice") {
  const ParallelFixture f(2);
  Seen seen;
  Door door;
  const auto handler = [&](const RecordView& record) {
    if (record.key().text() == "held") door.pass();
    seen.note(record);
    return Result<>();
  };
  for (PartitionId i = 0; i < 2; ++i) {
    f.send("held", "0", i);
    for (int value = 1; value < 50; ++value)
      f.send("k" + std::to_string(value) + "-" + std::to_string(i), std::to_string(value), i);
  }
  ParallelConsumerOptions options = in_parallel(3);
  options.revoke_timeout = 1h;
  ParallelConsumer first = f.open(options, handler);
  must(first.start());
  wait_until([&] { return seen.count() == 98; });
  ParallelConsumer second = f.open(options, handler);
  must(second.start());
  // The partition that goes waits for the handler that has a record of it.
  door.wait_for(2);
  door.open();
  wait_until([&] { return seen.count() == 100; });
  for (PartitionId i = 0; i < 2; ++i) f.send("more", "50", i);
  wait_until([&] { return f.committed_offset(0) == 51 && f.committed_offset(1) == 51; });
  CHECK(first.status().handled_records + second.status().handled_records == 102);
  CHECK(second.status().handled_records > 0);
}

TEST_CASE("a handler that is longer than revoke_timeout: its record alone is handled by both members") {
  const ParallelFixture f(2);
  for (PartitionId i = 0; i < 2; ++i) {
    for (int value = 0; value < 50; ++value)
      f.send("k" + std::to_string(value), std::to_string(value) + "-" + std::to_string(i), i);
  }
  Door door;
  Seen seen;
  ParallelConsumerOptions options = in_parallel(3);
  options.revoke_timeout = 0ms;
  ParallelConsumer first = f.open(options, [&](const RecordView& record) {
    seen.note(record);
    if (record.offset() == 10) door.pass();
    return Result<>();
  });
  must(first.start());
  wait_until([&] { return first.status().handled_records == 98; });
  ParallelConsumer second = f.open(options, [&](const RecordView& record) {
    seen.note(record);
    return Result<>();
  });
  must(second.start());
  wait_until([&] { return f.committed_offset(0) == 50 || f.committed_offset(1) == 50; });
  CHECK(second.status().handled_records == 1);
  door.open();
  wait_until([&] { return f.committed_offset(0) == 50 && f.committed_offset(1) == 50; });
  CHECK(seen.count() == 101);
  CHECK(distinct(seen.values()) == 100);
}

TEST_CASE("a member that is removed while handlers run joins again, and nothing is left out") {
  const ParallelFixture f;
  f.send_many(2'000, 50);
  Seen seen;
  std::atomic<bool> is_removed{false};
  ParallelConsumer consumer = f.open(in_parallel(), [&](const RecordView& record) {
    seen.note(record);
    if (record.value().text() == "700" && !is_removed.exchange(true))
      must(f.engine.admin().remove_group_members("g"));
    return Result<>();
  });
  must(consumer.start());
  wait_until([&] { return f.committed_offset() == 2'000; });
  consumer.stop();
  must(consumer.wait());
  CHECK(distinct(seen.values()) == 2'000);
}

TEST_CASE("topics that come later are found, and one that goes takes its records along and nobody else's") {
  const ParallelFixture f;
  ParallelConsumerOptions options = in_parallel(2);
  options.topics = {"in", "later"};
  options.revoke_timeout = 0ms;
  Door door;
  Seen seen;
  ParallelConsumer consumer = f.open(options, [&](const RecordView& record) {
    if (record.value().text() == "held") door.pass();
    seen.note(record);
    return Result<>();
  });
  must(consumer.start());
  create_topic(f.engine, "later");
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "later", .value = "held"}));
  door.wait_for(1);
  must(f.engine.admin().delete_topic("later"));
  f.send("k", "1");
  wait_until([&] { return f.committed_offset() == 1; });
  door.open();
  wait_until([&] { return seen.count() == 2; });
  consumer.stop();
  must(consumer.wait());
}

TEST_CASE("listeners of the application are told, and an exception of one is a failure of no record") {
  const ParallelFixture f;
  f.send_many(5, 5);
  std::atomic<int> assigned{0};
  std::atomic<int> revoked{0};
  std::atomic<int> asked{0};
  ParallelConsumerOptions options = in_parallel();
  options.listener.on_assigned = [&](const std::vector<TopicPartition>& partitions) {
    assigned += static_cast<int>(partitions.size());
    throw std::runtime_error("listener");
  };
  options.listener.on_revoked = [&](const std::vector<TopicPartition>& partitions) {
    revoked += static_cast<int>(partitions.size());
  };
  options.on_failure = [&](const ParallelFailure& failure) {
    CHECK(failure.record == nullptr);
    CHECK(failure.error.message().find("listener") != std::string::npos);
    ++asked;
    return OnFailure::retry;
  };
  ParallelConsumer consumer = f.open(options, [](const RecordView&) { return Result<>(); });
  must(consumer.start());
  wait_until([&] { return f.committed_offset() == 5; });
  consumer.stop();
  must(consumer.wait());
  CHECK(asked == 1);
  CHECK(assigned == 1);
  CHECK(revoked == 1);
}

}  // namespace seriatim::test
