#include "delivery/buffer_memory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace seriatim::delivery {
namespace {

struct Budget {
  explicit Budget(std::size_t limit) : memory(std::make_shared<BufferMemory>(limit, added, removed)) {}
  std::uint64_t used() const { return added.value() - removed.value(); }
  base::Counter added;
  base::Counter removed;
  std::shared_ptr<BufferMemory> memory;
};

std::chrono::steady_clock::time_point at_once() { return std::chrono::steady_clock::time_point::min(); }
std::chrono::steady_clock::time_point late() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

TEST_CASE("the budget is given out up to its limit and comes back") {
  Budget budget(100);
  auto first = budget.memory->acquire(60, at_once());
  REQUIRE(first);
  CHECK(budget.used() == 60);
  const auto refused = budget.memory->acquire(41, at_once());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::queue_full);
  CHECK(refused.error().retriable());
  CHECK(refused.error().message().find("60 of 100") != std::string::npos);
  auto second = budget.memory->acquire(40, at_once());
  REQUIRE(second);
  *second = *std::move(first);
  CHECK(budget.used() == 60);
  second->release();
  second->release();
  CHECK(budget.used() == 0);
}

TEST_CASE("a request above the whole budget is granted alone") {
  Budget budget(100);
  auto small = budget.memory->acquire(1, at_once());
  REQUIRE(small);
  CHECK(budget.memory->acquire(1000, at_once()).error().code() == Errc::queue_full);
  small->release();
  const auto large = budget.memory->acquire(1000, at_once());
  REQUIRE(large);
  CHECK(budget.memory->acquire(1, at_once()).error().code() == Errc::queue_full);
}

TEST_CASE("who waits too long times out and is not in the way of the next") {
  Budget budget(100);
  auto held = budget.memory->acquire(100, at_once());
  REQUIRE(held);
  CHECK(budget.memory->acquire(10, std::chrono::steady_clock::now() + std::chrono::milliseconds(1))
            .error()
            .code() == Errc::timed_out);
  std::thread waiter([&] { CHECK(budget.memory->acquire(10, late()).ok()); });
  held->release();
  waiter.join();
  CHECK(budget.used() == 0);
}

TEST_CASE(
    "waiters are served in the order in which they came: a large request is not starved by small ones") {
  Budget budget(100);
  auto held = budget.memory->acquire(50, at_once());
  REQUIRE(held);
  std::atomic<bool> large_served{false};
  std::thread large([&] {
    const auto lease = budget.memory->acquire(90, late());
    large_served = lease.ok();
  });
  // Refused from the moment on at which somebody waits, though it would fit.
  while (budget.memory->acquire(10, at_once())) std::this_thread::yield();
  CHECK_FALSE(large_served);
  held->release();
  large.join();
  CHECK(large_served);
  CHECK(budget.memory->acquire(100, at_once()).ok());
}

TEST_CASE("many threads never exceed the budget, and all are served") {
  Budget budget(100);
  std::atomic<std::int64_t> out{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const std::int64_t bytes = 10 + (t * 7 + i) % 50;
        auto lease = budget.memory->acquire(static_cast<std::size_t>(bytes), late());
        if (!lease || (out += bytes) > 100) ++wrong;
        out -= bytes;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace seriatim::delivery
