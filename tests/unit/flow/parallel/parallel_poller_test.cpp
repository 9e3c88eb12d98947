// The thread that polls: back pressure, topics that come and go, listeners.
#include "flow/parallel/parallel_poller.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "unit/flow/parallel/parallel_fixture.hpp"

namespace seriatim::test {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_CASE(
    "no more is polled than may be in flight, by records and by bytes, and it goes on when there is space") {
  for (const bool by_bytes : {false, true}) {
    const ParallelFixture f;
    f.send_many(200, 200);
    Door door;
    ParallelConsumerOptions options = in_parallel(2);
    options.consumer.max_poll_records = 10;
    options.max_in_flight_records = by_bytes ? 10'000 : 30;
    if (by_bytes) options.max_in_flight_bytes = 100;
    ParallelConsumer consumer = f.open(options, [&](const RecordView&) {
      door.pass();
      return Result<>();
    });
    must(consumer.start());
    door.wait_for(2);
    wait_until([&] {
      const ParallelStatus status = consumer.status();
      return by_bytes ? status.in_flight_bytes >= 100 : status.in_flight_records >= 30;
    });
    // The poller looks every 20 ms at least: it would poll more, if it did.
    std::this_thread::sleep_for(100ms);
    const ParallelStatus status = consumer.status();
    CHECK(status.in_flight_records < (by_bytes ? 100 : 40));
    CHECK(status.in_flight_bytes < 200);
    door.open();
    wait_until([&] { return f.committed_offset() == 200; });
  }
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
    Producer producer = must(f.engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 3'000; ++i)
      must(producer.send_sync({.topic = "in", .key = "n" + std::to_string(i), .value = "v"}));
    // The poller looks every 20 ms: it would poll more, if it did.
    std::this_thread::sleep_for(100ms);
    wait_until([&] {
      const ParallelStatus status = consumer.status();
      return status.waiting_keys == status.in_flight_records;
    });
    finished = consumer.status().handled_records;
    // A few polls more, until it looks again.
    CHECK(finished <= 1'500);
    consumer.stop();
    must(consumer.wait());
  }
  std::uint64_t spared = 0;
  CHECK(handle_rest(f, 4'000, &spared).size() == 4'000 - finished);
  CHECK(spared == finished);
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
