// Positions and partitions that go: nothing that was finished and committed is handled again, and nothing is
// left out.
#include "flow/parallel/finished_ranges.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

}  // namespace

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

}  // namespace seriatim::test
