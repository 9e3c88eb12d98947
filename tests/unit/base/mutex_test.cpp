#include "base/mutex.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

using namespace seriatim::base;

namespace {

struct Box {
  Mutex mutex;
  ConditionVariable changed;
  int value SERIATIM_GUARDED_BY(mutex) = 0;
};

}  // namespace

TEST_CASE("a held mutex cannot be taken") {
  Mutex mutex;
  MutexLock lock(mutex);
  bool is_taken = true;
  std::thread([&mutex, &is_taken]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    is_taken = mutex.try_lock();
    if (is_taken) mutex.unlock();
  }).join();
  CHECK_FALSE(is_taken);
}

TEST_CASE("a word mutex admits one thread at a time, and nobody sleeps for ever") {
  constexpr int threads = 4;
  constexpr int rounds = 20'000;
  WordMutex mutex;
  int inside = 0;
  std::int64_t count = 0;
  const auto work = [&] {
    for (int i = 0; i < rounds; ++i) {
      const MutexLock lock(mutex);
      REQUIRE(++inside == 1);
      ++count;
      if (i % 64 == 0) std::this_thread::yield();  // so that others find it held, and sleep
      --inside;
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  }
  CHECK(count == std::int64_t{threads} * rounds);
}

TEST_CASE("a held word mutex cannot be taken, a free one can") {
  WordMutex mutex;
  const auto take = [&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return mutex.try_lock(); };
  const auto release = [&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { mutex.unlock(); };
  CHECK(take());
  CHECK_FALSE(take());
  release();
  CHECK(take());
  release();
}

TEST_CASE("a waiter sees what was changed under the lock, and holds it again") {
  Box box;
  std::jthread writer([&box] {
    MutexLock lock(box.mutex);
    box.value = 7;
    box.changed.notify_all();
  });
  MutexLock lock(box.mutex);
  while (box.value == 0) box.changed.wait(box.mutex);
  CHECK(box.value == 7);
}

TEST_CASE("waiting for a time that has passed returns false with the lock held") {
  Box box;
  MutexLock lock(box.mutex);
  const auto passed = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  CHECK_FALSE(box.changed.wait_until(box.mutex, passed));
  box.value = 1;
}
