// A mutex for short sections that many threads enter while one thread works through a long list by pieces.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "base/mutex.hpp"

namespace seriatim::base {

/// A WordMutex that knows whether somebody waits. A thread that unlocks and locks again at once would mostly
/// get it back before one that sleeps has woken up, and keep it so for as long as its list is.
class SERIATIM_CAPABILITY("mutex") TurnMutex {
 public:
  void lock() noexcept SERIATIM_ACQUIRE() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    if (mutex_.try_lock()) [[likely]]
      return;
    waiting_.fetch_add(1, std::memory_order_relaxed);
    bool is_held = false;
    for (int i = 0; i < tries_max && !is_held; ++i) {
      std::this_thread::yield();
      is_held = mutex_.try_lock();
    }
    if (!is_held) mutex_.lock();
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  void unlock() noexcept SERIATIM_RELEASE() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { mutex_.unlock(); }

  /// Between two pieces, without the lock: lets those go first who wait for it. Gives up where they are ever
  /// more: the list has an end, too.
  void let_others_pass() noexcept {
    for (int i = 0; i < yields_max && waiting_.load(std::memory_order_relaxed) > 0; ++i)
      std::this_thread::yield();
  }

 private:
  // Arbitrary: about as long as it takes to fall asleep and to be woken up.
  static constexpr int tries_max = 32;
  // Arbitrary: longer than it takes to wake a thread up, on a machine with other work, too.
  static constexpr int yields_max = 1'000;

  WordMutex mutex_;
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace seriatim::base
