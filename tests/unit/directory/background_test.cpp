#include "directory/background.hpp"

#include <doctest/doctest.h>
#include <algorithm>

#include <mutex>

#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using detail::EngineImpl;
using test::comes_true;
using test::create_topic;
using test::must;
using test::open_engine_with;
using test::TempDir;

// The thread looks ten times a second at a clock that the test moves.
struct Clockwork {
  explicit Clockwork(EngineOptions options = {}, os::Vfs& vfs = os::posix_vfs())
      : engine(open_engine_with(directory / "data", vfs, clock, std::move(options))),
        impl(EngineImpl::of(engine)) {}
  TempDir directory;
  base::ManualClock clock{1'000'000};
  Engine engine;
  std::shared_ptr<EngineImpl> impl;
};

TEST_CASE("recovery points are stored when the checkpoint interval has passed") {
  Clockwork clockwork({.checkpoint_interval = std::chrono::seconds(10)});
  create_topic(clockwork.engine, "t");
  must(must(clockwork.engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
  const auto stored = [&] {
    return must(clockwork.impl->catalog->partition_states("t"))[0].recovery_point_offset;
  };
  CHECK(stored() == 0);
  clockwork.clock.advance_ms(10'000);
  CHECK(comes_true([&] { return stored() == 1; }));
}

TEST_CASE("flush.ms bounds how long a record of acks=leader stays off stable storage") {
  // Turning the clock until the sync is seen must not reach the next checkpoint, which syncs everything.
  Clockwork clockwork({.checkpoint_interval = std::chrono::hours(24 * 365)});
  create_topic(clockwork.engine, "bounded", 1, {{"flush.ms", "500"}});
  create_topic(clockwork.engine, "unbounded");
  Producer producer = must(clockwork.engine.producer({.acks = Acks::leader}));
  for (const char* topic : {"bounded", "unbounded"}) must(producer.send_sync({.topic = topic, .value = "x"}));
  const auto durable = [&](const char* topic) {
    return must(clockwork.engine.admin().describe_topic(topic)).partitions[0].durable_offset;
  };
  // The first look starts the time.
  CHECK(comes_true([&] {
    clockwork.clock.advance_ms(1);
    return durable("bounded") == 1;
  }));
  CHECK(durable("unbounded") == 0);
}

TEST_CASE("flush.messages syncs in the appender's thread when so many records wait") {
  Clockwork clockwork;
  create_topic(clockwork.engine, "t", 1, {{"flush.messages", "3"}});
  Producer producer = must(clockwork.engine.producer({.acks = Acks::leader}));
  const auto durable = [&] {
    return must(clockwork.engine.admin().describe_topic("t")).partitions[0].durable_offset;
  };
  for (int i = 0; i < 2; ++i) must(producer.send_sync({.topic = "t", .value = "x"}));
  CHECK(durable() == 0);
  must(producer.send_sync({.topic = "t", .value = "x"}));
  CHECK(durable() == 3);
}

TEST_CASE(
    "retention and compaction come with the maintenance interval, the first time after 30 s at the latest") {
  Clockwork clockwork(
      {.maintenance_interval = std::chrono::minutes(5), .checkpoint_interval = std::chrono::seconds(1)});
  create_topic(clockwork.engine, "old", 1, {{"retention.ms", "1000"}, {"segment.bytes", "2048"}});
  create_topic(
      clockwork.engine, "table", 1,
      {{"cleanup.policy", "compact"}, {"segment.bytes", "2048"}, {"min.cleanable.dirty.ratio", "0.1"}});
  Producer producer = must(clockwork.engine.producer());
  for (int i = 0; i < 10; ++i) {
    must(producer.send_sync({.topic = "old", .value = std::string(500, 'x')}));
    must(producer.send_sync({.topic = "table", .key = "k", .value = std::string(500, 'x')}));
  }
  const auto start = [&] {
    return must(clockwork.engine.admin().list_offset({"old", 0}, OffsetSpec::earliest));
  };
  CHECK(start() == 0);
  const std::uint64_t before = test::read_all(clockwork.engine, "table").size();
  CHECK(before == 10);
  CHECK(comes_true([&] {
    clockwork.clock.advance_ms(5000);
    return start() > 0 && test::read_all(clockwork.engine, "table").size() < before;
  }));
  CHECK(comes_true([&] { return clockwork.engine.metrics().compactions > 0; }));
}

TEST_CASE("a maintenance interval of 0 leaves housekeeping to whoever asks") {
  Clockwork clockwork(
      {.maintenance_interval = std::chrono::milliseconds(0), .checkpoint_interval = std::chrono::seconds(1)});
  create_topic(clockwork.engine, "old", 1, {{"retention.ms", "1000"}, {"segment.bytes", "2048"}});
  Producer producer = must(clockwork.engine.producer());
  for (int i = 0; i < 10; ++i) must(producer.send_sync({.topic = "old", .value = std::string(500, 'x')}));
  clockwork.clock.advance_ms(1'000'000'000);
  // A checkpoint shows that the thread has looked since.
  const auto stored = [&] {
    return must(clockwork.impl->catalog->partition_states("old"))[0].recovery_point_offset;
  };
  CHECK(comes_true([&] { return stored() == 10; }));
  CHECK(must(clockwork.engine.admin().list_offset({"old", 0}, OffsetSpec::earliest)) == 0);
  CHECK(must(clockwork.engine.admin().apply_retention("old")).deleted_segments > 0);
}

TEST_CASE("a failure of background work is reported and counted, and work goes on") {
  test::FailingVfs vfs;
  std::mutex mutex;
  std::vector<std::string> lines;
  Clockwork clockwork({.log_sink =
                           [&](LogLevel level, std::string_view line) {
                             const std::lock_guard<std::mutex> lock(mutex);
                             if (level == LogLevel::error) lines.emplace_back(line);
                           },
                       .checkpoint_interval = std::chrono::seconds(1)},
                      vfs);
  create_topic(clockwork.engine, "t");
  must(must(clockwork.engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
  vfs.fail_after(0);
  // Jobs fail one after another, in the order in which they are due.
  CHECK(comes_true([&] {
    clockwork.clock.advance_ms(1000);
    const std::lock_guard<std::mutex> lock(mutex);
    const auto told = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find("checkpoint") != std::string::npos;
    });
    return told >= 2 && clockwork.engine.metrics().background_errors >= 2;
  }));
  vfs.heal();
}

}  // namespace
}  // namespace seriatim::directory
