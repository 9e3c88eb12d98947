// Which transactions that have ended may be seen: those that can be seen whole (INV-8).
//
// A partition shows what lies below the first offset of the oldest transaction it holds back. So a committed
// one that wrote behind an older open one would be seen in its other partitions first. It waits in all of
// them instead, and with it what is behind it there: what is released is always the largest set of committed
// transactions none of which is held back, in any partition, by one outside of the set.
#pragma once

#include <atomic>
#include <cstddef>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "partition/partition.hpp"
#include "partition/visibility_gate.hpp"

namespace seriatim::transaction {

/// The part of an ended transaction in one partition, where its marker was appended.
struct EndedPart {
  partition::Partition* partition = nullptr;  ///< Kept by the caller.
  Offset first = -1;                          ///< Where the partition holds it back.
  Offset last = -1;                           ///< Of its records.
};
using EndedParts = std::vector<EndedPart>;

/// Threads: any number, any method.
class ReleaseQueue {
 public:
  explicit ReleaseQueue(partition::VisibilityGate& gate) : gate_(gate) {}

  /// Shows a committed transaction, or keeps it until that can be done in all its partitions. Wakes readers.
  /// Cost, if nothing waits and nothing is in its way: one locked instruction for each partition.
  void commit(const EndedParts& parts);
  /// Takes an aborted one out of the way; its records are never shown, so that nothing has to wait.
  void abort(const EndedParts& parts);
  /// Shows what waited for a topic that was deleted since.
  void look_again();

  /// Groups of transactions that wait: how many transactions wait has no part in it.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  /// One partition's hold on one transaction.
  using Hold = std::pair<const partition::Partition*, Offset>;
  using Holds = std::set<Hold>;
  /// Of a transaction that waits, for as long as it does.
  struct WaitingPart : EndedPart {
    partition::PartitionPtr owner{};
  };
  using Group = std::vector<WaitingPart>;

  static Holds holds_of(const Group& group);
  static Holds obstacles_of(const Group& group);
  static bool is_free(const EndedParts& parts);
  static void take_in(Group& group, const Group& parts);
  template <class Parts>
  void release(std::span<const Parts> groups) SERIATIM_REQUIRES(gate_.mutex);
  void release_all_that_can() SERIATIM_REQUIRES(gate_.mutex);
  void merge_last() SERIATIM_REQUIRES(gate_.mutex);

  partition::VisibilityGate& gate_;  ///< Its mutex before those of partitions.
  /// Committed ones that wait; those that can only be released together are one group, which has one hold in
  /// each partition: however many wait behind one that is open for long, they take no more room.
  std::vector<Group> groups_ SERIATIM_GUARDED_BY(gate_.mutex);
  std::atomic<std::size_t> waiting_{0};  ///< Their number, for who must not wait for the mutex.
};

}  // namespace seriatim::transaction
