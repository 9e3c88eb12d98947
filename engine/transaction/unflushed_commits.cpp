#include "transaction/unflushed_commits.hpp"

#include <algorithm>

namespace seriatim::transaction {

void UnflushedCommits::enter(partition::Partition& partition) {
  if (!partition.enter_unflushed()) return;
  const base::MutexLock lock(mutex_);
  partitions_.push_back(partition.shared_from_this());
}

// A commit enters its partitions before it gets its LSN: those of all up to the newest are in the list, or
// were flushed since they wrote.
Result<> UnflushedCommits::flush(std::uint64_t lsn) {
  const std::uint64_t wanted = std::min(lsn, staged_lsn_.load(std::memory_order_acquire));
  const auto is_flushed = [&] { return flushed_lsn_.load(std::memory_order_acquire) >= wanted; };
  if (is_flushed()) return {};
  const base::MutexLock flushing(flushing_mutex_);
  if (is_flushed()) return {};
  const std::uint64_t reached = staged_lsn_.load(std::memory_order_acquire);
  if (auto flushed = flush_partitions(); !flushed) return flushed;
  flushed_lsn_.store(reached, std::memory_order_release);
  return {};
}

Result<> UnflushedCommits::flush_partitions() {
  std::vector<partition::PartitionPtr> partitions;
  {
    const base::MutexLock lock(mutex_);
    partitions.swap(partitions_);
  }
  for (; !partitions.empty(); partitions.pop_back()) {
    // Before the flush: what is entered during it may not be in it.
    partitions.back()->leave_unflushed();
    auto flushed = partitions.back()->flush();
    if (flushed) continue;
    enter(*partitions.back());
    partitions.pop_back();
    const base::MutexLock lock(mutex_);
    partitions_.insert(partitions_.end(), partitions.begin(), partitions.end());
    return flushed;
  }
  return {};
}

}  // namespace seriatim::transaction
