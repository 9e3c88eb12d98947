#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

#include "delivery/delivery_thread.hpp"
#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using detail::EngineImpl;
using test::code_of;
using test::comes_true;
using test::create_topic;
using test::FailingVfs;
using test::must;
using test::open_engine;
using test::open_engine_with;
using test::OpenedEngine;
using test::read_values;
using test::TempDir;

TEST_CASE("close finishes what was accepted: lingering records and outcomes that wait for a sync") {
  const OpenedEngine opened;
  Producer lingering = must(opened.engine.producer({.linger = std::chrono::hours(1)}));
  Producer direct = must(opened.engine.producer({.acks = Acks::all}));
  std::atomic<int> called{0};
  std::vector<DeliveryFuture> futures;
  for (int i = 0; i < 10; ++i) {
    futures.push_back(lingering.send({.topic = "t", .value = "lingers"}));
    must(direct.send({.topic = "t", .value = "waits"},
                     [&](const Result<RecordMetadata>& outcome) { called += outcome.ok() ? 1 : 1000; }));
  }
  must(opened.engine.close());
  CHECK(called == 10);
  for (auto& future : futures) {
    REQUIRE(future.ready());
    CHECK(future.get().ok());
  }
  CHECK(read_values(open_engine(opened.path()), "t").size() == 20);
}

TEST_CASE("sends that run beside a close are stored or refused, and every future completes") {
  for (int round = 0; round < 10; ++round) {
    const OpenedEngine opened(4);
    std::atomic<std::size_t> stored{0};
    std::vector<std::thread> senders;
    std::atomic<int> started{0};
    for (int t = 0; t < 4; ++t) {
      senders.emplace_back([&, t] {
        Producer producer =
            must(opened.engine.producer({.acks = t % 2 == 0 ? Acks::all : Acks::leader,
                                         .linger = std::chrono::milliseconds(t < 2 ? 0 : 50)}));
        std::vector<DeliveryFuture> futures;
        ++started;
        while (true) {
          futures.push_back(producer.send({.topic = "t", .value = "x", .partition = t}));
          if (futures.back().ready() && !futures.back().get()) break;
        }
        for (auto& future : futures) stored += future.get().ok() ? 1U : 0U;
      });
    }
    CHECK(comes_true([&] { return started == 4; }));
    must(opened.engine.close());
    for (auto& sender : senders) sender.join();
    const Engine again = open_engine(opened.path());
    std::size_t found = 0;
    for (PartitionId i = 0; i < 4; ++i) found += read_values(again, "t", i).size();
    CHECK(found == stored);
  }
}

TEST_CASE("whoever comes second to close returns when the first is done") {
  const OpenedEngine opened;
  must(must(opened.engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
  std::vector<std::thread> closers;
  std::atomic<int> reopened{0};
  for (int i = 0; i < 4; ++i) {
    closers.emplace_back([&] {
      must(opened.engine.close());
      if (!EngineImpl::of(opened.engine)->lock.is_held()) ++reopened;
    });
  }
  for (auto& closer : closers) closer.join();
  CHECK(reopened == 4);
}

TEST_CASE(
    "inside a callback close, flush and the producer's close are refused instead of waiting for themselves") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  std::promise<std::vector<Errc>> seen;
  must(producer.send({.topic = "t", .value = "x"}, [&](const Result<RecordMetadata>&) {
    seen.set_value({code_of(opened.engine.close()), code_of(producer.flush()), code_of(producer.close())});
  }));
  CHECK(seen.get_future().get() == std::vector<Errc>(3, Errc::invalid_state));
  CHECK(must(producer.send_sync({.topic = "t", .value = "y"})).offset == 1);
}

TEST_CASE("the last handles may be dropped inside a callback: the engine closes cleanly all the same") {
  const TempDir directory;
  const std::string path = directory / "data";
  for (const int linger_ms : {0, 1}) {
    auto engine = std::make_shared<Engine>(open_engine(path));
    create_topic(*engine, "t" + std::to_string(linger_ms));
    auto producer =
        std::make_shared<Producer>(must(engine->producer({.linger = std::chrono::milliseconds(linger_ms)})));
    const std::weak_ptr<Engine> watched = engine;
    const std::string topic = "t" + std::to_string(linger_ms);
    for (int i = 0; i < 3; ++i) {
      must(producer->send({.topic = topic, .value = "x"},
                          [producer, engine](const Result<RecordMetadata>& outcome) {
                            must(outcome.ok() ? Result<>() : Result<>(outcome.error()));
                          }));
    }
    engine.reset();
    producer.reset();
    CHECK(comes_true([&] { return watched.expired(); }));
    // The lock is given up last.
    CHECK(comes_true([&] { return Engine::open(path, {.mode = OpenMode::read_write}).ok(); }));
  }
  const Engine again = open_engine(path);
  CHECK(EngineImpl::of(again)->was_clean);
  CHECK(read_values(again, "t0").size() == 3);
  CHECK(read_values(again, "t1").size() == 3);
}

TEST_CASE("a close that cannot sync says so, and the next open recovers") {
  const TempDir directory;
  FailingVfs vfs;
  {
    const Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
    create_topic(engine, "t");
    must(must(engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
    vfs.fail_after(0);
    CHECK(code_of(engine.close()) == Errc::storage_failed);
    CHECK(engine.close().ok());
    vfs.heal();
  }
  const Engine engine = open_engine(directory / "data");
  CHECK_FALSE(EngineImpl::of(engine)->was_clean);
  CHECK(read_values(engine, "t") == std::vector<std::string>{"x"});
}

TEST_CASE(
    "a failed sync is final: nothing is acknowledged or accepted any more until the engine is reopened") {
  const TempDir directory;
  FailingVfs vfs;
  {
    const Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
    create_topic(engine, "t");
    Producer producer = must(engine.producer());
    must(producer.send_sync({.topic = "t", .value = "durable"}));
    vfs.fail_after(0);
    const auto failed = producer.send_sync({.topic = "t", .value = "unknown"});
    CHECK(code_of(failed) == Errc::storage_failed);
    CHECK(failed.error().outcome() == Outcome::unknown);
    vfs.heal();
    const auto refused = producer.send_sync({.topic = "t", .value = "never"});
    CHECK(code_of(refused) == Errc::storage_failed);
    CHECK(refused.error().outcome() == Outcome::not_written);
    CHECK(code_of(engine.flush()) == Errc::storage_failed);
    CHECK(engine.metrics().failed_syncs == 1);
  }
  const Engine engine = open_engine(directory / "data");
  const auto values = read_values(engine, "t");
  REQUIRE(values.size() >= 1);
  CHECK(values.front() == "durable");
  CHECK(values.back() != "never");
}

TEST_CASE("metrics count what happened") {
  const OpenedEngine opened(2);
  Producer producer = must(opened.engine.producer());
  const std::vector<Record> records{{.value = "a"}, {.value = "b"}, {.value = "c"}};
  must(producer.append({"t", 0}, records));
  must(producer.send_sync({.topic = "t", .value = "d", .partition = 1}));
  CHECK_FALSE(producer.send_sync({.topic = "no", .value = "x"}).ok());
  CHECK(read_values(opened.engine, "t").size() == 3);
  const Metrics metrics = opened.engine.metrics();
  CHECK(metrics.topics == 1);
  CHECK(metrics.partitions == 2);
  CHECK(metrics.appended_batches == 2);
  CHECK(metrics.appended_records == 4);
  CHECK(metrics.appended_bytes > 0);
  CHECK(metrics.refused_appends == 1);
  CHECK(metrics.syncs == 2);
  CHECK(metrics.fetched_records == 3);
  CHECK(metrics.buffered_bytes == 0);
  must(opened.engine.admin().delete_topic("t"));
  CHECK(opened.engine.metrics().appended_records == 4);
}

TEST_CASE("a checkpoint bounds what recovery reads: its points are in the catalog") {
  const OpenedEngine opened;
  must(must(opened.engine.producer({.acks = Acks::leader})).send_sync({.topic = "t", .value = "x"}));
  const auto& impl = EngineImpl::of(opened.engine);
  must(impl->checkpointer->checkpoint());
  const auto states = must(impl->catalog->partition_states("t"));
  CHECK(states[0].recovery_point_offset == 1);
  CHECK(states[0].recovery_position > 0);
  CHECK(states[0].clean_end_offset == -1);
}

}  // namespace
}  // namespace seriatim
