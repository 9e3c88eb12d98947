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
#include <cstddef>
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

  /// Brings to stable storage what every commit wrote whose LSN is below one the caller has got.
  /// Errors: as Partition::flush; the next call goes on.
  /// Cost: a load if there is nothing to be done.
  Result<> flush();

 private:
  Result<> flush_partitions() SERIATIM_REQUIRES(flushing_mutex_);

  base::Mutex flushing_mutex_;                                      ///< A later thread finds its work done.
  std::atomic<std::uint64_t> begun_{0};                             ///< Flushes, which are numbered from 1.
  std::uint64_t flushed_ SERIATIM_GUARDED_BY(flushing_mutex_) = 0;  ///< The newest one that did not fail.
  std::atomic<std::size_t> waiting_{0};  ///< Partitions that were entered and not flushed since.
  base::Mutex mutex_;
  std::vector<partition::PartitionPtr> partitions_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::transaction
