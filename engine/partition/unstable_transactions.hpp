// Where the transactions began that a partition holds back: those that are open, and those whose end is not
// to be seen yet.
//
// Mostly there is none or one, which takes a store to be entered and one locked instruction to leave; a mutex
// would take two each. Only two or more are a list with a mutex. The sign of the oldest offset says which it
// is.
#pragma once

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include <seriatim/types.hpp>

#include "base/mutex.hpp"

namespace seriatim::partition {

/// Threads: any number, but for `add`.
class UnstableTransactions {
 public:
  static constexpr Offset nothing = std::numeric_limits<Offset>::max();

  /// Where the oldest began, or `nothing`.
  /// Cost: a load.
  Offset oldest() const noexcept { return oldest_.load(std::memory_order_acquire) & offset_bits; }
  /// Whether that is `first`, and no other began up to `last`.
  /// Cost: two loads.
  bool is_only(Offset first, Offset last) const noexcept {
    // The second is read after the first, and stored before it: it is never one of before the first came
    // first.
    return oldest() == first && second_.load(std::memory_order_acquire) > last;
  }
  /// All that began up to `last`, in order.
  std::vector<Offset> up_to(Offset last) const {
    const base::MutexLock lock(mutex_);
    const Offset seen = oldest_.load(std::memory_order_acquire);
    if (is_list(seen)) return {list_.begin(), std::upper_bound(list_.begin(), list_.end(), last)};
    return seen <= last && seen != nothing ? std::vector<Offset>{seen} : std::vector<Offset>();
  }

  /// Makes sure that the next `add` needs no memory. The thread that adds.
  void make_room() {
    if (oldest_.load(std::memory_order_acquire) == nothing) return;
    const base::MutexLock lock(mutex_);
    if (list_.capacity() < list_.size() + 2) list_.reserve(2 * list_.size() + 4);
  }
  /// One more, which began behind all others. One thread at a time.
  void add(Offset first) {
    // The thread that made it `nothing` has done with it, and there is nothing to be removed until this is
    // stored.
    if (oldest_.load(std::memory_order_acquire) == nothing) {
      oldest_.store(first, std::memory_order_release);
      return;
    }
    const base::MutexLock lock(mutex_);
    Offset seen = oldest_.load(std::memory_order_acquire);
    if (is_list(seen)) {
      list_.push_back(first);
      return;
    }
    second_.store(first, std::memory_order_release);
    // The only one there is may leave without the mutex.
    if (seen != nothing &&
        oldest_.compare_exchange_strong(seen, seen | list_bit, std::memory_order_acq_rel)) {
      list_.assign({seen, first});
    } else {
      second_.store(nothing, std::memory_order_release);
      oldest_.store(first, std::memory_order_release);
    }
  }

  /// Nothing happens if none began at `first`.
  void remove(Offset first) {
    if (first < 0) return;
    Offset seen = first;
    if (oldest_.compare_exchange_strong(seen, nothing, std::memory_order_acq_rel)) return;
    if (seen == nothing) return;
    const base::MutexLock lock(mutex_);
    if (!is_list(oldest_.load(std::memory_order_acquire))) {
      seen = first;
      oldest_.compare_exchange_strong(seen, nothing, std::memory_order_acq_rel);
      return;
    }
    const auto found = std::lower_bound(list_.begin(), list_.end(), first);
    if (found == list_.end() || *found != first) return;
    list_.erase(found);
    const bool is_one = list_.size() == 1;
    second_.store(is_one ? nothing : list_[1], std::memory_order_release);
    oldest_.store(is_one ? list_[0] : list_[0] | list_bit, std::memory_order_release);
  }

  /// In the place of all: `first`, or `nothing`. For who is told, and adds and removes none.
  void set(Offset first) noexcept { oldest_.store(first, std::memory_order_release); }

 private:
  static constexpr Offset list_bit = std::numeric_limits<Offset>::min();
  static constexpr Offset offset_bits = nothing;
  static constexpr bool is_list(Offset seen) noexcept { return seen < 0; }

  /// The bit changes with the mutex held, as does everything while it is set.
  std::atomic<Offset> oldest_{nothing};
  std::atomic<Offset> second_{nothing};
  mutable base::WordMutex mutex_;
  std::vector<Offset> list_ SERIATIM_GUARDED_BY(mutex_);  ///< Two or more, if there is the bit.
};

}  // namespace seriatim::partition
