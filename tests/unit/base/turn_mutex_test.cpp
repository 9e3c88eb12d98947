#include "base/turn_mutex.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace seriatim::test {

TEST_CASE("sections under a turn mutex do not overlap") {
  base::TurnMutex mutex;
  constexpr int threads = 4;
  constexpr int rounds = 5'000;
  int count = 0;
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        const base::MutexLock lock(mutex);
        ++count;
      }
    });
  }
  for (int piece = 0; piece < rounds; ++piece) {
    {
      const base::MutexLock lock(mutex);
      ++count;
    }
    mutex.let_others_pass();
  }
  for (auto& thread : running) thread.join();
  CHECK(count == rounds * (threads + 1));
}

TEST_CASE("nobody waits: a thread that lets others pass goes on at once") {
  base::TurnMutex mutex;
  mutex.let_others_pass();
  const base::MutexLock lock(mutex);
}

TEST_CASE("letting others pass ends, however long somebody waits") {
  base::TurnMutex mutex;
  std::atomic<bool> has_begun{false};
  mutex.lock();
  std::thread waiting([&] {
    has_begun.store(true);
    const base::MutexLock lock(mutex);
  });
  while (!has_begun.load()) std::this_thread::yield();
  mutex.let_others_pass();
  mutex.unlock();
  waiting.join();
}

}  // namespace seriatim::test
