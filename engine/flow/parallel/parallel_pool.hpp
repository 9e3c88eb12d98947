// The records that are in flight, and the threads that handle them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <seriatim/flow/parallel_consumer.hpp>

#include "flow/parallel/key_lanes.hpp"
#include "flow/parallel/parallel_partition.hpp"
#include "flow/parallel/worker_slot.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Which records are still handled. Only goes on to later ones.
enum class ParallelPhase : std::uint8_t {
  open,      ///< Everything.
  draining,  ///< All that was polled; nothing waits for a retry any more.
  dropping,  ///< Records that handlers have; the rest is dropped.
  over,      ///< Nothing: workers end.
};

/// Threads: any, where nothing else is said.
class ParallelPool {
 public:
  using Time = KeyLanes::Time;

  /// @param options  in their ranges; outlive it.
  explicit ParallelPool(const ParallelConsumerOptions& options);

  // Of the workers.

  /// Gives the worker runs to claim; waits for them. False: the end.
  bool fill(WorkerSlot& slot);
  /// Tells the others of the ends that the slot has.
  void report();
  /// Whether a record, with the partition it is of, is to be handled; `slot` has told that it is.
  bool is_wanted(const ParallelPartition& partition) const noexcept;
  WorkerSlot& slot(std::size_t worker) noexcept { return *slots_[worker]; }

  // Of the thread that polls.

  /// Is called under the mutex, when there is space again, or nothing is left.
  void set_waker(std::function<void()> wake);
  /// Adds records of a slice of the partition's window that are not finished. Once the pool is not open it
  /// drops them: one before them in their order may have been dropped.
  void add(ParallelPartition& partition, std::span<QueuedRecord> records);
  /// Whether no more shall be added; if so the waker is called when there is space.
  bool is_full();
  /// Drops the records that no handler has.
  void drop(ParallelPartition& partition);
  /// Waits until no handler has a record of a dropped partition. False: the time is over.
  bool wait_until_unhandled(const ParallelPartition& partition, std::chrono::milliseconds time);
  /// Collects ends, lets sleepers take what a busy worker has not come to, and runs `look` under the mutex.
  template <class Look>
  auto look(const Look& look) {
    const std::lock_guard lock(mutex_);
    collect();
    lanes_.wake(std::chrono::steady_clock::now());
    share_out();
    return look();
  }
  /// A partition that a handler has a record of; null: there is none. Only to be compared.
  const ParallelPartition* handled_partition() const noexcept;

  ParallelPhase phase() const noexcept { return phase_.load(std::memory_order_seq_cst); }
  /// Goes on to `phase`, unless it is there or beyond.
  void go_on_to(ParallelPhase phase) noexcept;
  /// When it left `open`.
  Time ended_at() const;
  /// Sleeps, unless it leaves `open`.
  void sleep(std::chrono::nanoseconds time);
  ParallelStatus status();
  void note_spared(std::size_t records);

 private:
  using Lock = std::unique_lock<std::mutex>;

  // Under the mutex.
  void collect() noexcept;
  void settle(const RunEnd& end) noexcept;
  void drop_rest(const RecordRun& rest) noexcept;
  void drop_lane(KeyLane& lane) noexcept;
  void leave(const QueuedRecord& record) noexcept;
  void share_out() noexcept;
  void tell_poller() noexcept;
  bool take(WorkerSlot& slot) noexcept;
  bool steal(WorkerSlot& slot) noexcept;

  const ParallelConsumerOptions& options_;
  std::vector<std::unique_ptr<WorkerSlot>> slots_{};
  std::atomic<ParallelPhase> phase_{ParallelPhase::open};  // written under the mutex

  mutable std::mutex mutex_;
  std::condition_variable work_;   // for workers
  std::condition_variable ended_;  // the phase is not open
  KeyLanes lanes_{};
  std::function<void()> wake_{};
  ParallelStatus status_{};
  std::size_t sleepers_ = 0;
  bool is_space_wanted_ = false;
  Time ended_at_{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
