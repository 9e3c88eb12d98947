#include "delivery/delivery.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/counter.hpp"

namespace seriatim {
namespace {

using detail::DeliveryState;

const RecordMetadata stored{.partition = 1, .offset = 7};

TEST_CASE("whoever waits for an outcome gets it, before and after it is there") {
  DeliveryState state;
  CHECK_FALSE(state.is_complete());
  CHECK_FALSE(state.wait_until(std::chrono::steady_clock::now()));
  std::vector<std::thread> waiters;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      const auto outcome = state.wait();
      if (outcome && outcome->offset == 7) ++right;
    });
  }
  state.complete(stored);
  for (auto& waiter : waiters) waiter.join();
  CHECK(right == 4);
  CHECK(state.is_complete());
  CHECK(state.wait_until(std::chrono::steady_clock::now()));
  CHECK(state.wait()->offset == 7);
}

// A coroutine that counts how often it was resumed.
struct Counted {
  struct promise_type {
    Counted get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

Counted count(std::atomic<int>& resumed) {
  ++resumed;
  co_return;
}

TEST_CASE("a coroutine is resumed exactly once, however completing and suspending race") {
  for (int round = 0; round < 300; ++round) {
    DeliveryState state;
    std::atomic<int> resumed{0};
    const Counted coroutine = count(resumed);
    std::atomic<bool> go{false};
    std::thread completer([&] {
      while (!go) std::this_thread::yield();
      state.complete(stored);
    });
    go = true;
    // False means: do not suspend, the outcome is there.
    if (!state.suspend(coroutine.handle)) coroutine.handle.resume();
    completer.join();
    CHECK(resumed == 1);
    coroutine.handle.destroy();
  }
}

TEST_CASE(
    "completing tells interceptors, callback and future in this order; memory is free before, the flight "
    "ends after") {
  base::Counter added;
  base::Counter removed;
  const auto memory = std::make_shared<delivery::BufferMemory>(100, added, removed);
  const auto in_flight = std::make_shared<delivery::InFlight>();
  const auto in_time = [] { return std::chrono::steady_clock::now(); };
  std::string order;
  delivery::Delivery delivery;
  delivery.state = std::make_shared<DeliveryState>();
  delivery.interceptors =
      std::make_shared<const std::vector<ProducerInterceptor>>(std::vector<ProducerInterceptor>{
          {.on_acknowledgement =
               [&](const Result<RecordMetadata>&) { order += removed.value() == 60 ? "1" : "held "; }},
          {},
          {.on_acknowledgement = [&](const Result<RecordMetadata>& outcome) {
            order += outcome.ok() ? "2" : "failed ";
          }}});
  delivery.callback = [&, state = delivery.state](const Result<RecordMetadata>&) {
    order += state->is_complete() ? "late " : "3";
    if (!in_flight->wait_for_earlier(in_time())) order += "4";
  };
  auto lease = memory->acquire(60, in_time());
  REQUIRE(lease);
  delivery.memory = *std::move(lease);
  delivery.in_flight = delivery::InFlightMark(in_flight);
  delivery.complete(stored);
  CHECK(order == "1234");
  CHECK(delivery.state->is_complete());
  CHECK(in_flight->wait_for_earlier(in_time()));
}

}  // namespace
}  // namespace seriatim
