#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "directory/background.hpp"
#include "support/blocking_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::directory {
namespace {

using detail::EngineImpl;
using test::comes_true;
using test::create_topic;
using test::must;

JobReport report_of(const Engine& engine, std::string_view name) {
  for (JobReport& report : EngineImpl::of(engine)->background->reports()) {
    if (report.name == name) return std::move(report);
  }
  FAIL("no job ", name);
  return {};
}

// An engine on a disk that may be busy, with a clock that the test moves, and something to compact.
struct BusyDisk {
  explicit BusyDisk(EngineOptions options = {.maintenance_interval = std::chrono::minutes(5),
                                             .checkpoint_interval = std::chrono::hours(10)})
      : engine(test::open_engine_with(directory / "data", vfs, clock, std::move(options))) {
    create_topic(
        engine, "table", 1,
        {{"cleanup.policy", "compact"}, {"segment.bytes", "2048"}, {"min.cleanable.dirty.ratio", "0.1"}});
    create_topic(engine, "bounded", 1, {{"flush.ms", "500"}});
    write_dirt();
  }
  ~BusyDisk() { vfs.release(); }

  void write_dirt() {
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 12; ++i)
      must(producer.send_sync({.topic = "table", .key = "k", .value = std::string(500, 'x')}));
    must(EngineImpl::of(engine)->checkpointer->checkpoint());
  }
  // Turns the clock until a compaction has come to its call number `call`; false: it has fewer, and ended.
  bool block_compaction(int call) {
    const std::uint64_t before = engine.metrics().compactions;
    vfs.watch(".log.cleaned", call);
    REQUIRE(comes_true([&] {
      clock.advance_ms(10'000);
      return vfs.is_blocked() || engine.metrics().compactions > before;
    }));
    return vfs.is_blocked();
  }
  void release_compaction() {
    vfs.release();
    CHECK(comes_true([&] { return !report_of(engine, "compaction").is_running; }));
  }
  Offset durable(const std::string& topic) const {
    return must(engine.admin().describe_topic(topic)).partitions[0].durable_offset;
  }

  test::TempDir directory;
  base::ManualClock clock{1'000'000};
  test::BlockingVfs vfs;
  Engine engine;
};

// In the partition that is being compacted, too (INV-14).
void check_that_the_rest_goes_on(BusyDisk& disk) {
  TransactionalProducer transactions =
      must(disk.engine.transactional_producer({.transactional_id = "w", .acks = Acks::leader}));
  Transaction transaction = must(transactions.begin());
  std::atomic<bool> is_sent{false};
  std::thread sending([&] {
    must(transaction.send({.topic = "table", .key = "t", .value = "v"}));
    is_sent = true;
  });
  const bool appends_go_on = comes_true([&] { return is_sent.load(); });
  if (!appends_go_on) disk.vfs.release();
  sending.join();
  REQUIRE(appends_go_on);
  must(must(disk.engine.producer({.acks = Acks::leader})).send_sync({.topic = "bounded", .value = "v"}));
  // The first look at something that is not durable starts its time.
  REQUIRE(comes_true([&] {
    disk.clock.advance_ms(1);
    return disk.durable("bounded") == 1;
  }));
  REQUIRE(comes_true([&] {
    disk.clock.advance_ms(1'000);
    return !transaction.is_open();
  }));
  const std::uint64_t before = report_of(disk.engine, "checkpoint").runs;
  REQUIRE(comes_true([&] {
    disk.clock.advance_ms(3600 * 1'000);
    return report_of(disk.engine, "checkpoint").runs > before;
  }));
  CHECK(report_of(disk.engine, "checkpoint").failures == 0);
  CHECK(report_of(disk.engine, "time-outs").failures == 0);
  CHECK(disk.engine.metrics().transactions_timed_out == 1);
}

TEST_CASE(
    "a compaction that waits for the disk, at whatever call, stops neither time-outs nor checkpoints nor "
    "flush.ms") {
  // Every second call: each kind of step has several in a row, and each look of the timers takes its time.
  int call = 0;
  for (;; call += 2) {
    CAPTURE(call);
    BusyDisk disk;
    if (!disk.block_compaction(call)) break;
    check_that_the_rest_goes_on(disk);
    CHECK(report_of(disk.engine, "compaction").is_running);
    disk.release_compaction();
    must(disk.engine.close());
  }
  CHECK(call > 10);
}

TEST_CASE("retention goes on while a compaction waits for the disk") {
  BusyDisk disk;
  create_topic(disk.engine, "old", 1, {{"retention.ms", "1000"}, {"segment.bytes", "2048"}});
  Producer producer = must(disk.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 10; ++i) must(producer.send_sync({.topic = "old", .value = std::string(500, 'x')}));
  REQUIRE(disk.block_compaction(0));
  CHECK(comes_true([&] {
    disk.clock.advance_ms(60'000);
    return must(disk.engine.admin().list_offset({"old", 0}, OffsetSpec::earliest)) > 0;
  }));
  disk.release_compaction();
}

TEST_CASE("a pause breaks a compaction off and lets no other begin; afterwards it is made up for") {
  BusyDisk disk;
  REQUIRE(disk.block_compaction(0));
  std::thread pausing([&] { must(disk.engine.admin().pause_maintenance()); });
  CHECK(comes_true([&] { return disk.engine.metrics().maintenance_paused == 1; }));
  disk.vfs.release();
  pausing.join();
  CHECK(disk.engine.metrics().compactions == 0);
  CHECK(comes_true([&] { return !report_of(disk.engine, "compaction").is_running; }));
  const std::uint64_t runs = report_of(disk.engine, "compaction").runs;
  const std::uint64_t checkpoints = report_of(disk.engine, "checkpoint").runs;
  // A checkpoint shows that the timers have looked since.
  disk.clock.advance_ms(std::int64_t{1'000} * 3600 * 24);
  CHECK(comes_true([&] { return report_of(disk.engine, "checkpoint").runs > checkpoints; }));
  CHECK(report_of(disk.engine, "compaction").runs == runs);
  // A compaction that somebody asks for is done.
  CHECK(must(disk.engine.admin().compact("table", false)).removed_records > 0);
  disk.write_dirt();
  must(disk.engine.admin().resume_maintenance());
  CHECK(disk.engine.metrics().maintenance_paused == 0);
  CHECK(comes_true([&] { return report_of(disk.engine, "compaction").runs > runs; }));
  CHECK(disk.engine.metrics().compactions == 2);
}

TEST_CASE("closing breaks a compaction off, and the next open finds every key") {
  BusyDisk disk;
  REQUIRE(disk.block_compaction(0));
  std::thread closing([&] { must(disk.engine.close()); });
  CHECK(comes_true([&] { return EngineImpl::of(disk.engine)->closed.load(); }));
  disk.vfs.release();
  closing.join();
  const Engine again = test::open_engine(disk.directory / "data");
  CHECK(test::read_all(again, "table").back().key == "k");
}

// A topic that is being deleted while its compaction waits for the disk.
struct BlockedDeletion {
  BlockedDeletion() {
    REQUIRE(disk.block_compaction(0));
    deleting = std::thread([&] {
      must(disk.engine.admin().delete_topic("table"));
      is_deleted = true;
    });
    // It has begun.
    REQUIRE(comes_true([&] { return must(disk.engine.admin().list_topics()).size() == 1; }));
  }
  // Whether a call ends although the disk does not answer. The disk does afterwards if it has not ended.
  template <class Call>
  bool ends(const Call& call) {
    std::atomic<bool> has_ended{false};
    std::thread calling([&] {
      call();
      has_ended = true;
    });
    const bool ended = comes_true([&] { return has_ended.load(); });
    if (!ended) disk.vfs.release();
    calling.join();
    return ended;
  }

  BusyDisk disk;
  std::thread deleting;
  std::atomic<bool> is_deleted{false};
};

TEST_CASE("a deletion that waits for the disk of a compaction holds up no other call, and breaks it off") {
  BlockedDeletion blocked;
  BusyDisk& disk = blocked.disk;
  CHECK(blocked.ends([&] { create_topic(disk.engine, "other"); }));
  CHECK(blocked.ends([&] { must(disk.engine.admin().delete_topic("other")); }));
  CHECK(blocked.ends([&] { must(EngineImpl::of(disk.engine)->checkpointer->checkpoint()); }));
  CHECK(test::code_of(disk.engine.admin().delete_topic("table")) == Errc::unknown_topic_or_partition);
  CHECK_FALSE(blocked.is_deleted);
  // The name is taken again only when the files are gone.
  std::atomic<bool> is_created{false};
  std::thread creating([&] {
    create_topic(disk.engine, "table");
    is_created = true;
  });
  CHECK(report_of(disk.engine, "compaction").is_running);
  CHECK_FALSE(is_created);
  disk.release_compaction();
  blocked.deleting.join();
  creating.join();
  CHECK(disk.engine.metrics().compactions == 0);
  CHECK(test::read_all(disk.engine, "table").empty());
  must(must(disk.engine.producer()).send_sync({.topic = "table", .value = "v"}));
  CHECK(test::read_all(disk.engine, "table").size() == 1);
}

TEST_CASE("closing waits for a deletion, which leaves nothing behind") {
  BlockedDeletion blocked;
  std::thread closing([&] { must(blocked.disk.engine.close()); });
  CHECK(comes_true([&] { return EngineImpl::of(blocked.disk.engine)->closed.load(); }));
  blocked.disk.vfs.release();
  closing.join();
  blocked.deleting.join();
  const std::string directory = blocked.disk.directory / "data";
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/log"))
    CHECK(entry.path().filename().string().find("table") == std::string::npos);
  CHECK(must(test::open_engine(directory).admin().list_topics()).size() == 1);
}

TEST_CASE("intervals at the limit of their type mean never") {
  constexpr auto never = std::chrono::milliseconds::max();
  BusyDisk disk({.maintenance_interval = never, .checkpoint_interval = never});
  const std::uint64_t looks = report_of(disk.engine, "counters").runs;
  for (std::uint64_t i = 1; i < 5; ++i) {
    disk.clock.advance_ms(std::int64_t{1'000} * 3600 * 24 * 365);
    CHECK(comes_true([&] { return report_of(disk.engine, "counters").runs > looks + i; }));
  }
  CHECK(report_of(disk.engine, "checkpoint").runs == 0);
  CHECK(report_of(disk.engine, "expiry").runs == 0);
  CHECK(report_of(disk.engine, "compaction").runs == 0);
}

TEST_CASE("a limit of bytes a second holds a compaction back by the clock, and a pause still ends it") {
  BusyDisk disk({.maintenance_interval = std::chrono::minutes(5),
                 .maintenance_bytes_per_second = 1,
                 .checkpoint_interval = std::chrono::hours(10)});
  // Enough for the limit to be asked.
  create_topic(
      disk.engine, "large", 1,
      {{"cleanup.policy", "compact"}, {"segment.bytes", "65536"}, {"min.cleanable.dirty.ratio", "0.1"}});
  Producer producer = must(disk.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 40; ++i)
    must(producer.send_sync({.topic = "large", .key = "k", .value = std::string(10'000, 'x')}));
  must(EngineImpl::of(disk.engine)->checkpointer->checkpoint());
  // One look at most moves the clock from here to the begin; then it stands still.
  disk.clock.advance_ms(300'000);
  CHECK(comes_true([&] { return report_of(disk.engine, "compaction").is_running; }));
  CHECK(report_of(disk.engine, "compaction").runs == 0);
  must(disk.engine.admin().pause_maintenance());
  CHECK(comes_true([&] { return report_of(disk.engine, "compaction").runs == 1; }));
  must(disk.engine.admin().resume_maintenance());
  CHECK(comes_true([&] { return report_of(disk.engine, "compaction").is_running; }));
  must(disk.engine.close());
}

}  // namespace
}  // namespace seriatim::directory
