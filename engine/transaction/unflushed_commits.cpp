#include "transaction/unflushed_commits.hpp"

#include "base/boundary.hpp"

namespace seriatim::transaction {

// The partition says so last: whoever finds it entered, by another commit, relies on its being in the list.
void UnflushedCommits::enter(partition::Partition& partition) {
  if (partition.is_unflushed()) return;
  const base::MutexLock lock(mutex_);
  if (partition.is_unflushed()) return;
  partitions_.push_back(partition.shared_from_this());
  waiting_.fetch_add(1, std::memory_order_release);
  partition.set_unflushed(true);
}

// A commit enters its partitions before it gets its LSN, so that they are in the list when somebody gets a
// later one, or were flushed since they were written to. One flush does for all who come before it begins.
Result<> UnflushedCommits::flush() {
  if (waiting_.load(std::memory_order_acquire) == 0) return {};
  const std::uint64_t begun_before = begun_.load(std::memory_order_acquire);
  const base::MutexLock flushing(flushing_mutex_);
  if (flushed_ > begun_before || waiting_.load(std::memory_order_acquire) == 0) return {};
  const std::uint64_t number = begun_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (auto flushed = flush_partitions(); !flushed) return flushed;
  flushed_ = number;
  return {};
}

Result<> UnflushedCommits::flush_partitions() {
  std::vector<partition::PartitionPtr> partitions;
  {
    const base::MutexLock lock(mutex_);
    // Room for all of them to come back: a flush that fails must not lose one for want of memory.
    partitions.reserve(2 * partitions_.size());
    partitions.swap(partitions_);
  }
  for (; !partitions.empty(); partitions.pop_back()) {
    // Before the flush: what is entered during it may not be in it.
    partitions.back()->set_unflushed(false);
    auto flushed = base::answered([&] { return partitions.back()->flush(); });
    if (!flushed) enter(*partitions.back());
    waiting_.fetch_sub(1, std::memory_order_release);
    if (flushed) continue;
    partitions.pop_back();
    const base::MutexLock lock(mutex_);
    partitions_.insert(partitions_.end(), partitions.begin(), partitions.end());
    return flushed;
  }
  return {};
}

}  // namespace seriatim::transaction
