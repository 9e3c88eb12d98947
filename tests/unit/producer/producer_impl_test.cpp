#include <doctest/doctest.h>

#include <algorithm>
#include <coroutine>
#include <cstring>
#include <future>
#include <mutex>
#include <new>

#include "support/allocation_counter.hpp"
#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::code_of;
using test::comes_true;
using test::create_topic;
using test::must;
using test::open_engine_with;
using test::OpenedEngine;
using test::read_values;
using test::TempDir;

constexpr auto long_linger = std::chrono::hours(1);

TEST_CASE("sends on the hot path allocate nothing") {
  const OpenedEngine opened(4);
  const std::string value(100, 'v');
  const std::string large(20'000, 'v');
  const HeaderView headers[] = {{"h", "1"}};
  for (const Acks acks : {Acks::none, Acks::leader}) {
    Producer producer = must(opened.engine.producer({.acks = acks}));
    const auto send_all = [&] {
      for (PartitionId i = 0; i < 4; ++i)
        must(producer.send({.topic = "t", .value = value, .partition = i}).get());
      must(producer.send({.topic = "t", .key = "key", .value = value}).get());
      must(producer.send({.topic = "t", .value = value, .headers = headers}).get());
      must(producer.send({.topic = "t", .value = large, .partition = 0}).get());
      must(producer.send_sync({.topic = "t", .value = value}));
    };
    for (int i = 0; i < 10; ++i) send_all();
    const std::uint64_t before = test::allocations();
    for (int i = 0; i < 100; ++i) send_all();
    CHECK(test::allocations() == before);
  }
  const std::uint64_t before = test::allocations();
  ::operator delete(::operator new(1));  // not `new int`, which a compiler may leave out
  CHECK(test::allocations() == before + 1);
}

TEST_CASE("appending a batch and claiming space allocate nothing beyond their handles") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  const TopicPartition at{"t", 0};
  const std::vector<Record> records(100, Record{.key = "key", .value = "value"});
  for (int i = 0; i < 10; ++i) must(producer.append(at, records));
  const std::uint64_t before = test::allocations();
  for (int i = 0; i < 50; ++i) must(producer.append(at, records));
  CHECK(test::allocations() == before);
}

TEST_CASE("with acks=leader and no linger a future is complete when send returns") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  DeliveryFuture sent = producer.send({.topic = "t", .value = "a"});
  CHECK(sent.ready());
  CHECK(sent.wait_for(std::chrono::nanoseconds::max()));
  CHECK(must(sent.get()).offset == 0);
  CHECK(must(sent.get()).offset == 0);
  DeliveryFuture moved = std::move(sent);
  CHECK(must(moved.get()).offset == 0);
}

TEST_CASE("with acks=all a future completes when its record is on stable storage") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  std::vector<DeliveryFuture> futures;
  for (int i = 0; i < 50; ++i) futures.push_back(producer.send({.topic = "t", .value = "a"}));
  for (int i = 0; i < 50; ++i) {
    const RecordMetadata stored = must(futures[static_cast<std::size_t>(i)].get());
    CHECK(stored.offset == i);
    CHECK(must(opened.engine.reader({"t", 0})).log_end_offset() > i);
    CHECK(must(opened.engine.admin().describe_topic("t")).partitions[0].durable_offset > i);
  }
  CHECK(opened.engine.metrics().syncs <= 50);
}

TEST_CASE("errors known at once are in the future, and not given to the callback too") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  CHECK(code_of(producer.send({.topic = "no", .value = "x"}).get()) == Errc::unknown_topic_or_partition);
  bool called = false;
  CHECK(code_of(producer.send({.topic = "no", .value = "x"}, [&](const Result<RecordMetadata>&) {
          called = true;
        })) == Errc::unknown_topic_or_partition);
  must(producer.flush());
  CHECK_FALSE(called);
}

TEST_CASE("callbacks of a partition come in the order of the sends") {
  const OpenedEngine opened(2);
  for (const int linger_ms : {0, 1}) {
    Producer producer =
        must(opened.engine.producer({.linger = std::chrono::milliseconds(linger_ms), .batch_size = 200}));
    std::vector<Offset> seen[2];
    for (int i = 0; i < 200; ++i) {
      must(producer.send({.topic = "t", .value = "x", .partition = i % 2},
                         [&](const Result<RecordMetadata>& stored) {
                           seen[must(stored).partition].push_back(must(stored).offset);
                         }));
    }
    must(producer.flush());
    for (const auto& offsets : seen) {
      CHECK(offsets.size() == 100);
      CHECK(std::is_sorted(offsets.begin(), offsets.end()));
    }
  }
}

TEST_CASE("lingering records share a batch, which leaves when it is full or due") {
  const TempDir directory;
  base::ManualClock clock(1000);
  const Engine engine = open_engine_with(directory / "data", os::posix_vfs(), clock);
  create_topic(engine, "t");
  Producer producer = must(
      engine.producer({.acks = Acks::leader, .linger = std::chrono::milliseconds(10), .batch_size = 1000}));
  const std::string value(300, 'x');
  std::vector<DeliveryFuture> full;
  for (int i = 0; i < 4; ++i) full.push_back(producer.send({.topic = "t", .value = value}));
  CHECK(must(full[0].get()).offset == 0);  // The fourth did not fit.
  CHECK(engine.metrics().appended_batches == 1);
  CHECK_FALSE(full[3].ready());
  clock.advance_ms(10);
  CHECK(must(full[3].get()).offset == 3);
  CHECK(engine.metrics().appended_batches == 2);
  CHECK(read_values(engine, "t").size() == 4);
}

TEST_CASE("flush sends what lingers and waits for what was sent before it") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.linger = long_linger}));
  DeliveryFuture sent = producer.send({.topic = "t", .value = "x"});
  CHECK_FALSE(sent.ready());
  CHECK(read_values(opened.engine, "t").empty());
  must(producer.flush(std::chrono::milliseconds::max()));
  CHECK(sent.ready());
  CHECK(must(sent.get()).offset == 0);
}

TEST_CASE("a flush that runs out of time says so, and the record keeps its place") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  std::promise<void> go;
  auto held = go.get_future().share();
  must(producer.send({.topic = "t", .value = "x"}, [held](const Result<RecordMetadata>&) { held.wait(); }));
  const auto flushed = producer.flush(std::chrono::milliseconds(1));
  CHECK(code_of(flushed) == Errc::timed_out);
  go.set_value();
  must(producer.flush());
}

TEST_CASE("a closed producer refuses sends; what it accepted is delivered") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.linger = long_linger}));
  DeliveryFuture sent = producer.send({.topic = "t", .value = "x"});
  must(producer.close());
  must(producer.close());
  CHECK(must(sent.get()).offset == 0);
  CHECK(code_of(producer.send({.topic = "t", .value = "y"}).get()) == Errc::closed);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "y"})) == Errc::closed);
}

TEST_CASE("destroying a producer delivers what lingers in it") {
  const OpenedEngine opened;
  std::optional<DeliveryFuture> sent;
  {
    Producer producer = must(opened.engine.producer({.linger = long_linger}));
    sent = producer.send({.topic = "t", .value = "x"});
  }
  CHECK(sent->ready());
  CHECK(must(sent->get()).offset == 0);
}

TEST_CASE("order is kept between lingering records and whole batches or claims of the same producer") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer({.linger = long_linger}));
  DeliveryFuture first = producer.send({.topic = "t", .value = "first"});
  must(producer.append({"t", 0}, std::vector<Record>{{.value = "second"}}));
  DeliveryFuture third = producer.send({.topic = "t", .value = "third"});
  Claim claim = must(producer.try_claim({"t", 0}, 6));
  std::memcpy(claim.value().data(), "fourth", 6);
  must(claim.commit());
  must(producer.send_sync({.topic = "t", .value = "fifth"}));
  CHECK(read_values(opened.engine, "t") ==
        std::vector<std::string>{"first", "second", "third", "fourth", "fifth"});
}

TEST_CASE("when buffer_memory is used up a send fails at once, or waits until there is some") {
  const OpenedEngine opened;
  const std::string value(1000, 'x');
  Producer failing =
      must(opened.engine.producer({.linger = long_linger, .buffer_memory = 2500, .on_full = OnFull::fail}));
  std::vector<DeliveryFuture> accepted;
  for (int i = 0; i < 2; ++i) accepted.push_back(failing.send({.topic = "t", .value = value}));
  CHECK(opened.engine.metrics().buffered_bytes > 2000);
  CHECK(code_of(failing.send({.topic = "t", .value = value}).get()) == Errc::queue_full);
  // Used up memory makes what lingers due.
  for (auto& future : accepted) CHECK(future.get().ok());
  CHECK(comes_true([&] { return opened.engine.metrics().buffered_bytes == 0; }));
  CHECK_FALSE(failing.send({.topic = "t", .value = value}).ready());

  Producer blocking = must(opened.engine.producer({.linger = long_linger, .buffer_memory = 2500}));
  for (int i = 0; i < 20; ++i) accepted.push_back(blocking.send({.topic = "t", .value = value}));
  must(blocking.flush());
  for (auto& future : accepted) CHECK(future.get().ok());
  must(failing.flush());
  CHECK(opened.engine.metrics().buffered_bytes == 0);
}

TEST_CASE("a send that finds no memory within max_block times out") {
  const OpenedEngine opened;
  Producer producer =
      must(opened.engine.producer({.buffer_memory = 100, .max_block = std::chrono::milliseconds(1)}));
  std::promise<void> go;
  auto held = go.get_future().share();
  std::promise<void> inside;
  must(producer.send({.topic = "t", .value = "holds the delivery thread"},
                     [&, held](const Result<RecordMetadata>&) {
                       inside.set_value();
                       held.wait();
                     }));
  inside.get_future().wait();
  DeliveryFuture waiting = producer.send({.topic = "t", .value = std::string(200, 'x')});
  CHECK_FALSE(waiting.ready());
  CHECK(code_of(producer.send({.topic = "t", .value = "x"}).get()) == Errc::timed_out);
  go.set_value();
  CHECK(waiting.get().ok());
}

TEST_CASE("interceptors change records in their order and see every outcome") {
  const OpenedEngine opened;
  std::mutex mutex;
  std::vector<std::string> seen;
  const auto acknowledged = [&](const char* name) {
    return [&, name](const Result<RecordMetadata>& outcome) {
      const std::lock_guard<std::mutex> lock(mutex);
      seen.push_back(name + std::string(outcome ? " ok" : " failed"));
    };
  };
  for (const Acks acks : {Acks::leader, Acks::all}) {
    seen.clear();
    ProducerOptions options{.acks = acks};
    options.interceptors.push_back({.on_send = [](ProducerRecord& record) { record.value = "one"; },
                                    .on_acknowledgement = acknowledged("first")});
    options.interceptors.push_back({.on_send =
                                        [](ProducerRecord& record) {
                                          if (record.value.text() == "one") record.key = "two";
                                        },
                                    .on_acknowledgement = acknowledged("second")});
    Producer producer = must(opened.engine.producer(options));
    must(producer.send_sync({.topic = "t", .value = "zero"}));
    CHECK(seen == std::vector<std::string>{"first ok", "second ok"});
    CHECK_FALSE(producer.send({.topic = "no", .value = "zero"}).get().ok());
    CHECK(seen == std::vector<std::string>{"first ok", "second ok", "first failed", "second failed"});
  }
  const auto records = test::read_all(opened.engine, "t");
  REQUIRE(records.size() == 2);
  CHECK(records[0].value == "one");
  CHECK(records[0].key == "two");
}

TEST_CASE("a partitioner of the application's own decides, and its mistakes are refused") {
  const OpenedEngine opened(4);
  ProducerOptions options;
  options.partitioner = [](std::string_view topic, BytesView key, PartitionId count) {
    CHECK(topic == "t");
    return key.text() == "bad" ? count : count - 1;
  };
  Producer producer = must(opened.engine.producer(options));
  CHECK(must(producer.send_sync({.topic = "t", .key = "k", .value = "x"})).partition == 3);
  CHECK(must(producer.send_sync({.topic = "t", .key = "k", .value = "x", .partition = 1})).partition == 1);
  CHECK(code_of(producer.send_sync({.topic = "t", .key = "bad", .value = "x"})) ==
        Errc::unknown_topic_or_partition);
}

TEST_CASE("a failed sync fails every record that waited for it") {
  const TempDir directory;
  test::FailingVfs vfs;
  const Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
  create_topic(engine, "t");
  Producer producer = must(engine.producer({.linger = long_linger}));
  must(producer.send_sync({.topic = "t", .value = "x"}));
  std::vector<DeliveryFuture> futures;
  for (int i = 0; i < 5; ++i) futures.push_back(producer.send({.topic = "t", .value = "x"}));
  vfs.fail_after(0);
  must(producer.flush());
  for (auto& future : futures) {
    const auto outcome = future.get();
    CHECK(code_of(outcome) == Errc::storage_failed);
    CHECK(outcome.error().outcome() == Outcome::unknown);
  }
  vfs.heal();
}

// A coroutine that runs on its own and ends without anybody waiting for its frame.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached send_in_turn(Producer& producer, int count, std::promise<std::vector<Offset>>& done) {
  std::vector<Offset> offsets;
  for (int i = 0; i < count; ++i) {
    const auto stored = co_await producer.send({.topic = "t", .value = "x"});
    offsets.push_back(stored ? stored->offset : -1);
  }
  done.set_value(std::move(offsets));
}

TEST_CASE("co_await gives the outcome, whether it is there already or comes later") {
  const OpenedEngine opened;
  for (const auto& [acks, linger_us] : {std::pair{Acks::leader, 0}, std::pair{Acks::all, 0},
                                        std::pair{Acks::all, 50}, std::pair{Acks::leader, 50}}) {
    Producer producer =
        must(opened.engine.producer({.acks = acks, .linger = std::chrono::microseconds(linger_us)}));
    std::promise<std::vector<Offset>> done;
    send_in_turn(producer, 20, done);
    const auto offsets = done.get_future().get();
    for (std::size_t i = 0; i < 20; ++i) CHECK(offsets[i] == offsets[0] + static_cast<Offset>(i));
  }
  CHECK(read_values(opened.engine, "t").size() == 80);
}

}  // namespace
}  // namespace seriatim
