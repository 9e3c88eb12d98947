// Commits at `leader` whose records are not known to be on stable storage.
//
// Their records have no frames in the journal (that is what makes them cheap), so a power cut may take those
// of one partition and leave those of another. Recovery then takes the commit back, and every commit behind
// it in the journal, of transactions and of positions: what they say may build on it. That is possible as
// long as nobody was told that something is durable which shows such a commit: what lies behind a marker of
// it, positions and state in the catalog, a later commit. Before any of that is said, the partitions are
// flushed.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "partition/partition.hpp"

namespace seriatim::transaction {

/// Threads: any number, any method.
class UnflushedCommits {
 public:
  /// A commit is on its way that wrote to this partition. Before it has an LSN.
  /// Cost: a load, unless it is the first one since the partition was flushed.
  void enter(partition::Partition& partition);
  /// It got this LSN, the newest of all.
  void note_staged(std::uint64_t lsn) noexcept { staged_lsn_.store(lsn, std::memory_order_release); }

  /// Brings to stable storage what every commit up to `lsn` wrote.
  /// Errors: as Partition::flush; the next call goes on. Cost: two loads if there is nothing to be done.
  Result<> flush(std::uint64_t lsn);

 private:
  Result<> flush_partitions() SERIATIM_REQUIRES(flushing_mutex_);

  base::Mutex flushing_mutex_;                 ///< Who comes later finds done what it wanted.
  std::atomic<std::uint64_t> flushed_lsn_{0};  ///< Up to here, nothing is to be done.
  std::atomic<std::uint64_t> staged_lsn_{0};   ///< Of the newest commit.
  base::Mutex mutex_;
  std::vector<partition::PartitionPtr> partitions_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::transaction
