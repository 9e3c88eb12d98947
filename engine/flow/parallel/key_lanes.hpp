// The records that wait for a thread, each behind the one before it in its order.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "flow/parallel/queued_record.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Records that come one after the other: of one key, or of one partition; or a record of no order.
struct KeyLane {
  std::uint64_t order = 0;
  const ParallelPartition* partition = nullptr;
  QueuedRecord* first = nullptr;
  QueuedRecord* last = nullptr;
  KeyLane* next = nullptr;  ///< In its bucket; or among the free ones.
  KeyLane* next_ready = nullptr;
  bool has_order = false;
  bool is_taken = false;  ///< Or it waits.
};

/// Records of a lane that one thread handles, in their order.
struct RecordRun {
  KeyLane* lane = nullptr;
  QueuedRecord* first = nullptr;
  QueuedRecord* last = nullptr;
};

/// A lane is ready (it has records, and no thread has any of it), taken (a thread has a run of it), or waits
/// for a retry. One without records that is not taken is none.
///
/// Threads: one at a time.
/// Cost: an `add` is a look into a hash table, without allocation after warm-up; the others allocate nothing.
class KeyLanes {
 public:
  using Time = std::chrono::steady_clock::time_point;

  KeyLanes();

  /// Behind all of its order; `record` stays where it is.
  void add(QueuedRecord& record);
  std::size_t ready_count() const noexcept { return ready_count_; }
  std::size_t waiting_count() const noexcept { return waiting_.size(); }
  /// Of the lane that has been ready for longest, at most so many records. Only if one is ready.
  RecordRun take(std::size_t records_max) noexcept;
  /// The run has ended: what is behind it is ready.
  void give_back(KeyLane& lane) noexcept;
  /// `first` .. `last`, the rest of a run, come again, before what is behind them, when it is `due`.
  void put_off(const RecordRun& rest, Time due) noexcept;
  /// Makes ready what is due.
  void wake(Time now) noexcept;
  /// Takes a lane that waits; null: none does. The run that was put off is in front of it.
  KeyLane* take_waiting() noexcept;
  std::optional<Time> next_due() const noexcept;
  /// The same, at once.
  void put_back(const RecordRun& rest) noexcept;
  /// Makes ready the waiting lanes that `wanted` says, by their first record.
  template <class Wanted>
  void wake_where(const Wanted& wanted) noexcept {
    for (Waiting& waiting : waiting_) {
      if (wanted(*waiting.lane->first)) waiting.due = Time::min();
    }
    std::make_heap(waiting_.begin(), waiting_.end());
    wake(Time::min());
  }
  /// Takes what is behind the run out of a taken lane; linked by `next`.
  QueuedRecord* empty(KeyLane& lane) noexcept;

 private:
  struct Waiting {
    Time due{};
    KeyLane* lane = nullptr;
    bool operator<(const Waiting& other) const noexcept { return due > other.due; }  // the first on top
  };

  KeyLane& lane_of(const QueuedRecord& record);
  KeyLane& new_lane();
  void make_ready(KeyLane& lane) noexcept;
  void forget(KeyLane& lane) noexcept;
  static void put_in_front(const RecordRun& rest) noexcept;
  void grow();
  std::size_t bucket_of(std::uint64_t order) const noexcept {
    return static_cast<std::size_t>(order) & (buckets_.size() - 1);
  }

  std::vector<KeyLane*> buckets_;  // a power of two
  std::vector<std::unique_ptr<KeyLane[]>> blocks_{};
  KeyLane* free_ = nullptr;
  std::size_t ordered_count_ = 0;  // in buckets
  KeyLane* ready_first_ = nullptr;
  KeyLane* ready_last_ = nullptr;
  std::size_t ready_count_ = 0;
  std::vector<Waiting> waiting_{};  // a heap, with room for all lanes
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
