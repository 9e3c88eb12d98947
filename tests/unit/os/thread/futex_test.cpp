#include "os/thread/futex.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "base/clock.hpp"

using namespace seriatim::os;

namespace {

using Word = std::atomic<std::uint32_t>;

std::int64_t now_ns() { return seriatim::base::system_clock().monotonic_ns(); }

constexpr std::int64_t an_hour_ns = 3'600'000'000'000;

}  // namespace

TEST_CASE("waiting for a word that has changed already returns at once") {
  const Word word{1};
  futex_wait(word, 0);
  CHECK(futex_wait_until(word, 0, now_ns() + an_hour_ns));
}

TEST_CASE("a deadline that has passed returns false, one before the clock's start too") {
  const Word word{0};
  CHECK_FALSE(futex_wait_until(word, 0, now_ns() - 1));
  CHECK_FALSE(futex_wait_until(word, 0, -5));
  const std::int64_t soon = now_ns() + 2'000'000;
  while (futex_wait_until(word, 0, soon)) {
  }
  CHECK(now_ns() >= soon);
}

TEST_CASE("a wake reaches sleepers with and without a deadline") {
  Word word{0};
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&word, &woken, i] {
      while (word.load() == 0) {
        if (i % 2 == 0)
          futex_wait(word, 0);
        else
          static_cast<void>(futex_wait_until(word, 0, now_ns() + an_hour_ns));
      }
      woken.fetch_add(1);
    });
  }
  word.store(1);
  futex_wake_all(word);
  for (std::thread& thread : threads) thread.join();
  CHECK(woken == 4);
}

TEST_CASE("two threads hand a word back and forth without losing a wake") {
  Word word{0};
  constexpr std::uint32_t rounds = 2000;
  const auto play = [&word](std::uint32_t parity) {
    while (true) {
      const std::uint32_t seen = word.load();
      if (seen >= rounds) return;
      if (seen % 2 != parity) {
        futex_wait(word, seen);
        continue;
      }
      word.store(seen + 1);
      futex_wake(word, 1);
    }
  };
  std::thread even(play, 0);
  std::thread odd(play, 1);
  even.join();
  odd.join();
  CHECK(word == rounds);
}
