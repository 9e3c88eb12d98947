// The runs that a worker has taken, and how they ended.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flow/parallel/key_lanes.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The fate of the records of a run that were not handled.
enum class RestFate : std::uint8_t {
  none,   ///< There are none.
  again,  ///< At once: the run took long, and the others shall know how far it came.
  wait,   ///< Until `RunEnd::due`.
  drop,   ///< They come again to another member, or to the next one.
};

struct RunEnd {
  RecordRun run{};
  QueuedRecord* rest = nullptr;  ///< The first that was not handled.
  RestFate fate = RestFate::none;
  KeyLanes::Time due{};
};

/// A worker claims its runs, and notes their ends, without a lock; under the pool's mutex others claim runs
/// that it has not come to, and collect ends, so that a handler that takes long holds up its own record only.
class WorkerSlot {
 public:
  static constexpr std::size_t runs_max = 256;  // arbitrary: a lock for so many costs next to nothing

  WorkerSlot() : runs_(runs_max), ends_(runs_max) {}

  // Of the worker.

  /// Null: none is left.
  const RecordRun* claim() noexcept {
    const std::size_t at = next_.fetch_add(1, std::memory_order_relaxed);
    return at < count_ ? &runs_[at] : nullptr;
  }
  /// No more ends than there were runs.
  void note(const RunEnd& end) noexcept {
    const std::size_t at = ended_.load(std::memory_order_relaxed);
    ends_[at] = end;
    ended_.store(at + 1, std::memory_order_release);
  }
  /// The partition of the record that the handler has; null: it has none. Sequentially consistent, as is
  /// ParallelPartition::is_dropped: either the worker sees that, or the one who drops sees this.
  std::atomic<const ParallelPartition*> handling{nullptr};

  // Under the mutex.

  /// Only when the worker can claim nothing, and all its ends are collected.
  void refill() noexcept {
    count_ = collected_ = 0;
    ended_.store(0, std::memory_order_relaxed);
  }
  void add(const RecordRun& run) noexcept { runs_[count_++] = run; }
  void open() noexcept { next_.store(0, std::memory_order_relaxed); }
  bool is_empty() const noexcept { return count_ == 0; }
  std::size_t unclaimed() const noexcept {
    const std::size_t next = next_.load(std::memory_order_relaxed);
    return next < count_ ? count_ - next : 0;
  }
  /// Moves half of what is left over to a slot that was refilled.
  void give_half(WorkerSlot& to) noexcept {
    const std::size_t wanted = (unclaimed() + 1) / 2;
    const std::size_t first = next_.fetch_add(wanted, std::memory_order_relaxed);
    for (std::size_t i = first; i < std::min(first + wanted, count_); ++i) to.add(runs_[i]);
  }
  template <class Settle>
  void collect(const Settle& settle) {
    const std::size_t ended = ended_.load(std::memory_order_acquire);
    while (collected_ < ended) settle(ends_[collected_++]);
  }

 private:
  std::vector<RecordRun> runs_;  // written under the mutex, by the worker
  std::size_t count_ = 0;        // the same
  std::atomic<std::size_t> next_{0};
  std::vector<RunEnd> ends_;
  std::atomic<std::size_t> ended_{0};
  std::size_t collected_ = 0;  // under the mutex
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
