// A mutex the compiler can check: clang's -Wthread-safety reports a guarded member used without its lock.
#pragma once

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

class SERIATIM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SERIATIM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() SERIATIM_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
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
