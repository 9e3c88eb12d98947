#include "base/mutex.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

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
