// Durability of one partition: group commit over concurrent callers. Whoever finds no sync running runs one
// for everybody who waits; the running sync is the linger of the next.
#include <utility>
#include <vector>

#include "partition/partition.hpp"

namespace seriatim::partition {

/// What one sync has to cover, taken in one look under the append mutex.
struct Partition::SyncWork {
  std::vector<segment::SegmentPtr> segments;
  Offset end_offset = 0;
  Offset segment_base = 0;
  std::uint64_t position = 0;
  std::uint64_t decided_lsn = 0;
};

Partition::SyncWork Partition::collect_sync_work() {
  const base::MutexLock lock(append_mutex_);
  SyncWork work;
  work.segments = std::exchange(unsynced_, {});
  work.end_offset = offsets_.log_end();
  work.segment_base = active_->base_offset();
  work.position = active_->end_position();
  work.decided_lsn = decided_lsn_;
  if (work.position > 0) work.segments.push_back(active_);
  return work;
}

Result<> Partition::run_sync(const SyncWork& work) {
  if (auto checked = environment_.health.check(); !checked) return checked;
  for (const auto& segment : work.segments) {
    environment_.counters.syncs.add();
    if (auto synced = segment->sync(); !synced) {
      // Retention took it since it was collected: there is nothing left to be durable.
      if (synced.error().code() == Errc::not_found && segment->is_deleted()) continue;
      environment_.counters.failed_syncs.add();
      if (synced.error().code() == Errc::storage_failed) {
        environment_.health.latch(synced.error());
        if (environment_.journal != nullptr) environment_.journal->fail(synced.error());
      } else {
        // No sync was tried (no descriptor to be had, ...): what was taken is still to be synced.
        put_back(work);
      }
      return synced.error().with_outcome(Outcome::unknown);
    }
  }
  // A marker says that its transaction was decided: on stable storage it must not say so alone.
  if (work.decided_lsn == 0) return {};
  auto decided = environment_.journal->wait_durable(work.decided_lsn);
  if (!decided) put_back(work);
  return decided;
}

void Partition::put_back(const SyncWork& work) {
  const base::MutexLock lock(append_mutex_);
  for (const auto& segment : work.segments) {
    if (segment != active_) unsynced_.push_back(segment);
  }
}

bool Partition::is_flush_overdue(std::int64_t now_ns) {
  constexpr std::int64_t never_ms = TopicConfig{}.flush_ms;
  const std::int64_t flush_ms = config().flush_ms;
  if (flush_ms == never_ms || durable_offset() >= undurable_end_) undurable_since_ns_ = -1;
  if (flush_ms == never_ms || durable_offset() >= log_end_offset()) return false;
  if (undurable_since_ns_ < 0) {
    undurable_since_ns_ = now_ns;
    undurable_end_ = log_end_offset();
  }
  return (now_ns - undurable_since_ns_) / 1'000'000 >= flush_ms;
}

Result<> Partition::wait_durable(const PartitionAppend& appended) {
  const Offset end = appended.last_offset + 1;
  if (durable_offset() >= end) return {};
  if (appended.lsn == 0) return sync_to(end);
  auto waited = environment_.journal->wait_durable(appended.lsn);
  if (waited) {
    offsets_.advance_durable(end);
    listeners().notify();  // whoever is shown only what is durable
    return {};
  }
  // Its own latch tells the engine's. For want of a file nothing is lost: the segment can be synced.
  if (waited.error().code() == Errc::storage_failed) return waited.error().with_outcome(Outcome::unknown);
  return sync_to(end);
}

Result<> Partition::sync_to(Offset offset) {
  if (durable_offset() >= offset) return {};
  return sync_until([this, offset] { return durable_offset() >= offset; });
}

// Not only records: sealing changes the length of a log and ends its indexes, which has to be durable before
// the recovery point may leave the segment.
Result<> Partition::sync() {
  const Offset end = log_end_offset();
  const Offset segment_base = segments_.load()->back()->base_offset();
  return sync_until([this, end, segment_base]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    return synced_offset_ >= end && synced_segment_base_ >= segment_base;
  });
}

Result<> Partition::sync_until(const std::function<bool()>& is_covered) {
  sync_mutex_.lock();
  for (;;) {
    if (is_covered()) {
      sync_mutex_.unlock();
      return {};
    }
    if (environment_.health.has_failed()) {
      sync_mutex_.unlock();
      return environment_.health.check().error().with_outcome(Outcome::unknown);
    }
    if (!sync_running_) break;
    ++sync_waiters_;
    sync_done_.wait(sync_mutex_);
    --sync_waiters_;
  }
  sync_running_ = true;
  sync_mutex_.unlock();

  const SyncWork work = collect_sync_work();
  auto synced = run_sync(work);

  sync_mutex_.lock();
  sync_running_ = false;
  if (synced) {
    synced_offset_ = work.end_offset;
    synced_segment_base_ = work.segment_base;
    synced_position_ = work.position;
    offsets_.advance_durable(work.end_offset);
  }
  const bool somebody_waits = sync_waiters_ > 0;
  sync_mutex_.unlock();
  if (somebody_waits) sync_done_.notify_all();
  if (synced) listeners().notify();
  return synced;
}

}  // namespace seriatim::partition
