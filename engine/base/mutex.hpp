// A mutex the compiler can check: clang's -Wthread-safety reports a guarded member used without its lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SERIATIM_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define SERIATIM_THREAD_ANNOTATION(x)
#endif
#define SERIATIM_CAPABILITY(x) SERIATIM_THREAD_ANNOTATION(capability(x))
#define SERIATIM_SCOPED_CAPABILITY SERIATIM_THREAD_ANNOTATION(scoped_lockable)
#define SERIATIM_GUARDED_BY(x) SERIATIM_THREAD_ANNOTATION(guarded_by(x))
#define SERIATIM_PT_GUARDED_BY(x) SERIATIM_THREAD_ANNOTATION(pt_guarded_by(x))
#define SERIATIM_REQUIRES(...) SERIATIM_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define SERIATIM_EXCLUDES(...) SERIATIM_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define SERIATIM_ACQUIRE(...) SERIATIM_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define SERIATIM_TRY_ACQUIRE(...) SERIATIM_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define SERIATIM_RELEASE(...) SERIATIM_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define SERIATIM_NO_THREAD_SAFETY_ANALYSIS SERIATIM_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace seriatim::base {

class SERIATIM_CAPABILITY("mutex") Mutex {
 public:
  void lock() SERIATIM_ACQUIRE() { mutex_.lock(); }
  bool try_lock() SERIATIM_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() SERIATIM_RELEASE() { mutex_.unlock(); }

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

/// A mutex of one word, for sections of some tens of nanoseconds that are entered millions of times a second:
/// inline, without the bookkeeping of a pthread mutex (7 of 29 ns per append). Waiters sleep. No condition
/// variable goes with it.
class SERIATIM_CAPABILITY("mutex") WordMutex {
 public:
  void lock() noexcept SERIATIM_ACQUIRE() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    int seen = free;
    if (word_.compare_exchange_strong(seen, held, std::memory_order_acquire, std::memory_order_relaxed))
        [[likely]] {
      return;
    }
    lock_contended();
  }
  bool try_lock() noexcept SERIATIM_TRY_ACQUIRE(true) SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    int seen = free;
    return word_.compare_exchange_strong(seen, held, std::memory_order_acquire, std::memory_order_relaxed);
  }
  /// On x86 a locked instruction: what was stored before is seen before what follows is loaded.
  void unlock() noexcept SERIATIM_RELEASE() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    if (word_.exchange(free, std::memory_order_seq_cst) == contended) [[unlikely]]
      word_.notify_one();
  }

 private:
  static constexpr int free = 0;
  static constexpr int held = 1;
  static constexpr int contended = 2;  // held, and somebody may sleep

  // A thread that gets it here leaves it `contended`, since it cannot know whether others still sleep.
  void lock_contended() noexcept {
    while (word_.exchange(contended, std::memory_order_acquire) != free)
      word_.wait(contended, std::memory_order_relaxed);
  }

  std::atomic<int> word_{free};  // int: what the standard library waits on without a proxy
};

template <class AnyMutex>
class SERIATIM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(AnyMutex& mutex) SERIATIM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() SERIATIM_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  AnyMutex& mutex_;
};

/// Waits with a `Mutex` held. Wakes may be spurious: wait in a loop over the condition.
class ConditionVariable {
 public:
  void wait(Mutex& mutex) SERIATIM_REQUIRES(mutex) SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// False if `deadline` passed first.
  template <class Clock, class Duration>
  bool wait_until(Mutex& mutex, const std::chrono::time_point<Clock, Duration>& deadline)
      SERIATIM_REQUIRES(mutex) SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace seriatim::base
