// Which states the readers of this process are looking at, where LMDB has no lock file to keep that in: a
// writer uses the pages of a state again once it is two commits on, and waits here until nobody reads it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/mutex.hpp"

namespace seriatim::catalog {

/// Threads: any number.
class ReaderNumbers {
 public:
  /// A read of state `number`, or a later one, from before it begins until it has ended.
  class Reading {
   public:
    Reading(ReaderNumbers& all, std::uint64_t number) : all_(all), number_(number) { all_.enter(number); }
    ~Reading() { all_.leave(number_); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    ReaderNumbers& all_;
    std::uint64_t number_;
  };

  /// Returns when the transaction that makes state `next` takes no page from under a reader: LMDB uses what
  /// belonged to states before `next` - 2.
  void wait_for_older_than(std::uint64_t next) SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    while (!numbers_.empty() && *std::min_element(numbers_.begin(), numbers_.end()) + 2 < next) {
      ++waiting_;
      left_.wait(mutex_);
      --waiting_;
    }
  }
  /// Writers that wait: for tests.
  std::size_t waiting() const SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    return waiting_;
  }

 private:
  void enter(std::uint64_t number) SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    numbers_.push_back(number);
  }
  void leave(std::uint64_t number) noexcept SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    numbers_.erase(std::find(numbers_.begin(), numbers_.end(), number));
    if (waiting_ > 0) left_.notify_all();
  }

  mutable base::Mutex mutex_;
  base::ConditionVariable left_;
  std::vector<std::uint64_t> numbers_ SERIATIM_GUARDED_BY(mutex_);
  std::size_t waiting_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

}  // namespace seriatim::catalog
