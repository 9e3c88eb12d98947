#include "delivery/delivery_thread.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <limits>
#include <set>
#include <thread>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::delivery {
namespace {

using detail::EngineImpl;
using test::comes_true;
using test::create_topic;
using test::must;
using test::open_engine_with;
using test::OpenedEngine;
using test::TempDir;

/// Notes when it was due.
class Alarm final : public Lingering {
 public:
  void on_due(std::int64_t now_ns) override {
    last_ns = now_ns;
    ++rings;
  }
  std::atomic<int> rings{0};
  std::atomic<std::int64_t> last_ns{-1};
};

PendingDelivery pending_with(const partition::PartitionPtr& partition, DeliveryCallback callback,
                             Offset sync_end = -1) {
  PendingDelivery pending{.partition = partition,
                          .awaited = {.last_offset = sync_end < 0 ? -1 : sync_end - 1}};
  pending.deliveries.push_back({.callback = std::move(callback)});
  pending.outcomes.emplace_back(RecordMetadata{.partition = 0, .offset = 1});
  return pending;
}

TEST_CASE("outcomes are delivered in the order in which they were handed over, on one thread") {
  const OpenedEngine opened;
  const auto& impl = EngineImpl::of(opened.engine);
  const auto partition = must(impl->partition("t", 0));
  std::vector<int> order;
  std::set<std::thread::id> threads;
  std::promise<void> done;
  for (int i = 0; i < 100; ++i) {
    impl->delivery->deliver(pending_with(partition, [&, i](const Result<RecordMetadata>&) {
      order.push_back(i);
      threads.insert(std::this_thread::get_id());
      CHECK(impl->delivery->is_current());
      if (i == 99) done.set_value();
    }));
  }
  done.get_future().wait();
  CHECK(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(threads.size() == 1);
  CHECK_FALSE(impl->delivery->is_current());
}

TEST_CASE("one sync serves everything that waits for the partition") {
  const OpenedEngine opened;
  const auto& impl = EngineImpl::of(opened.engine);
  const auto partition = must(impl->partition("t", 0));
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  std::promise<void> go;
  auto held = go.get_future().share();
  std::promise<void> done;
  std::promise<void> holding;
  impl->delivery->deliver(pending_with(partition, [&, held](const Result<RecordMetadata>&) {
    holding.set_value();
    held.wait();
  }));
  holding.get_future()
      .wait();  // else the thread may come for all of them at once, and sync before it is held
  for (int i = 0; i < 10; ++i) {
    must(producer.send_sync({.topic = "t", .value = "x"}));
    impl->delivery->deliver(pending_with(
        partition,
        [&, i](const Result<RecordMetadata>&) {
          CHECK(partition->durable_offset() > i);
          if (i == 9) done.set_value();
        },
        i + 1));
  }
  CHECK(partition->durable_offset() == 0);
  go.set_value();
  done.get_future().wait();
  CHECK(opened.engine.metrics().syncs == 1);
}

TEST_CASE("a due time is kept by the engine's clock, and a thing that is gone is not called") {
  const TempDir directory;
  base::ManualClock clock(1000);
  const Engine engine = open_engine_with(directory / "data", os::posix_vfs(), clock);
  const auto& impl = EngineImpl::of(engine);
  const auto early = std::make_shared<Alarm>();
  const auto late = std::make_shared<Alarm>();
  CHECK(impl->delivery->schedule(late, 20'000'000));
  CHECK(impl->delivery->schedule(early, 10'000'000));
  CHECK(impl->delivery->schedule(std::make_shared<Alarm>(), 5'000'000));
  clock.advance_ms(10);
  CHECK(comes_true([&] { return early->rings == 1; }));
  CHECK(early->last_ns == 10'000'000);
  CHECK(late->rings == 0);
  clock.advance_ms(10);
  CHECK(comes_true([&] { return late->rings == 1; }));
  CHECK(early->rings == 1);
}

TEST_CASE(
    "stop calls everything that was scheduled, delivers, and what comes after is delivered by its caller") {
  const OpenedEngine opened;
  const auto& impl = EngineImpl::of(opened.engine);
  const auto partition = must(impl->partition("t", 0));
  const auto alarm = std::make_shared<Alarm>();
  std::atomic<int> delivered{0};
  const auto count = [&](const Result<RecordMetadata>&) { ++delivered; };
  CHECK(impl->delivery->schedule(alarm, std::numeric_limits<std::int64_t>::max()));
  impl->delivery->deliver(pending_with(partition, [&](const Result<RecordMetadata>&) {
    ++delivered;
    impl->delivery->deliver(pending_with(partition, count));
  }));
  impl->delivery->stop();
  CHECK(alarm->rings == 1);
  CHECK(delivered == 2);
  impl->delivery->stop();
  impl->delivery->deliver(pending_with(partition, count));
  CHECK(delivered == 3);
  CHECK_FALSE(impl->delivery->schedule(alarm, 0));
}

TEST_CASE(
    "waits run on the thread in their order, all of them before its end, and after it in the caller's") {
  const OpenedEngine opened;
  const auto& impl = EngineImpl::of(opened.engine);
  std::vector<int> order;
  std::promise<void> go_on;
  impl->delivery->wait_for([&] {
    CHECK(impl->delivery->is_current());
    go_on.get_future().wait();
    order.push_back(1);
  });
  impl->delivery->wait_for([&] {
    order.push_back(2);
    impl->delivery->wait_for([&] { order.push_back(3); });
  });
  go_on.set_value();
  impl->delivery->stop();
  impl->delivery->wait_for([&] {
    CHECK_FALSE(impl->delivery->is_current());
    order.push_back(4);
  });
  CHECK(order == std::vector{1, 2, 3, 4});
}

}  // namespace
}  // namespace seriatim::delivery
