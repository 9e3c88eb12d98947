// Durability of one partition: group commit over concurrent callers. A caller that finds no sync running runs
// one for everybody who waits; the running sync is the linger of the next.
#include <algorithm>
#include <vector>

#include "base/boundary.hpp"
#include "partition/partition.hpp"

namespace seriatim::partition {
SyncMark Partition::sync_mark() const {
  const base::MutexLock lock(append_mutex_);
  const Offset end = offsets_.log_end();
  const Offset open = producers_.first_open_offset();
  return {.end_offset = end,
          .segment_base = active_->base_offset(),
          .position = active_->segment()->end_position(),
          .decided_lsn = decided_lsn_,
          .ended_below = open >= 0 ? open : end};
}

// Segments sealed since are in the list for the next one, so that the active one stays in it.
Result<> Partition::flush() {
  if (auto checked = check_unclaimed("making durable what was committed to the same partition"); !checked)
    return checked;
  std::vector<segment::SegmentPtr> segments;
  std::vector<segment::SegmentPtr> sealed;
  SyncMark mark;
  {
    const base::MutexLock lock(append_mutex_);
    sealed = unsynced_;
    segments = sealed;
    mark = {.end_offset = offsets_.log_end(), .segment_base = active_->base_offset()};
    if (active_->segment()->end_position() > 0) segments.push_back(active_->segment());
  }
  for (const auto& segment : segments) {
    if (auto synced = sync_segment(*segment); !synced) return synced;
  }
  {
    const base::MutexLock lock(append_mutex_);
    std::erase_if(unsynced_, [&](const segment::SegmentPtr& segment) {
      return std::find(sealed.begin(), sealed.end(), segment) != sealed.end();
    });
  }
  const base::MutexLock lock(sync_mutex_);
  if (!flushed_.covers(mark)) flushed_ = mark;
  return {};
}

Result<> Partition::sync_segment(segment::Segment& segment) {
  if (auto checked = environment_.health.check(); !checked) return checked;
  environment_.counters.syncs.add();
  auto synced = segment.sync();
  if (synced) return synced;
  // Retention took it since it was collected: there is nothing left to be durable.
  if (synced.error().code() == Errc::not_found && segment.is_deleted()) return {};
  environment_.counters.failed_syncs.add();
  if (synced.error().code() == Errc::storage_failed) {
    environment_.health.latch(synced.error());
    if (environment_.journal != nullptr) environment_.journal->fail(synced.error());
  }
  return synced.error().with_outcome(Outcome::unknown);
}

// A marker says that its transaction was decided: on stable storage it must not say so alone.
Result<> Partition::make_durable(const SyncMark& mark) {
  if (auto checked = environment_.health.check(); !checked) return checked;
  bool is_flushed = false;
  {
    const base::MutexLock lock(sync_mutex_);
    is_flushed = flushed_.covers(mark);
  }
  if (!is_flushed) {
    if (auto flushed = flush(); !flushed) return flushed;
  }
  if (mark.decided_lsn == 0) return {};
  if (environment_.make_decisions_durable) return environment_.make_decisions_durable(mark.decided_lsn);
  return environment_.journal->wait_durable(mark.decided_lsn);
}

void Partition::note_synced(const SyncMark& mark) {
  if (!mark.covers(synced_)) return;
  synced_ = mark;
  offsets_.advance_durable(mark.end_offset);
  // With their markers below the end, and what decided them secured before.
  offsets_.advance_settled(mark.ended_below);
}

bool Partition::is_flush_overdue(std::int64_t now_ns) {
  static const std::int64_t never_ms = TopicConfig{}.flush_ms;
  const std::int64_t flush_ms = flush_ms_.load(std::memory_order_relaxed);
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
  auto waited = base::answered([&] { return environment_.journal->wait_durable(appended.lsn); });
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
  const SyncMark wanted{.end_offset = log_end_offset(),
                        .segment_base = segments_.load()->back()->base_offset()};
  return sync_until([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return synced_.covers(wanted); });
}

Result<> Partition::sync_to(const SyncMark& mark) {
  {
    const base::MutexLock lock(sync_mutex_);
    if (synced_.covers(mark)) return {};
  }
  if (auto synced = make_durable(mark); !synced) return synced;
  {
    const base::MutexLock lock(sync_mutex_);
    note_synced(mark);
  }
  listeners().notify();
  return {};
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

  const SyncMark mark = sync_mark();
  // Even if it fails, the waiting threads are told.
  auto synced = base::answered([&] { return make_durable(mark); });

  sync_mutex_.lock();
  sync_running_ = false;
  if (synced) note_synced(mark);
  const bool somebody_waits = sync_waiters_ > 0;
  sync_mutex_.unlock();
  if (somebody_waits) sync_done_.notify_all();
  if (synced) listeners().notify();
  // The appended batches are there, and may have come to the disk.
  return synced ? synced : synced.error().with_outcome(Outcome::unknown);
}

}  // namespace seriatim::partition
