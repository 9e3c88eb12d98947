#include "partition/partition.hpp"

#include <algorithm>
#include <utility>

#include "segment/segment_store.hpp"

namespace seriatim::partition {
namespace {

std::uint64_t largest_batch(const TopicConfig& config) noexcept {
  return static_cast<std::uint64_t>(std::min<std::int64_t>(config.max_message_bytes, config.segment_bytes));
}

}  // namespace

Partition::Partition(const PartitionEnvironment& environment, const PartitionRequest& request)
    : PartitionLog(environment, request.name, request.directory),
      topic_id_(request.topic_id),
      config_(request.config),
      batch_bytes_max_(largest_batch(config_)),
      mapped_writes_(request.mapped_writes),
      compacted_to_(request.checkpoint.compacted_to_offset),
      stored_(request.checkpoint),
      stored_recovery_base_(request.checkpoint.recovery_segment_base),
      stored_recovery_point_(request.checkpoint.recovery_point_offset),
      snapshot_every_bytes_(request.snapshot_every_bytes),
      flush_ms_(request.config.flush_ms) {}

Partition::~Partition() {
  // An abandoned one has told already.
  if (!is_deleted()) tell_counters();
}

void Partition::tell_counters() noexcept {
  environment_.counters.appended_batches.add(appended_batches_.value());
  environment_.counters.appended_records.add(appended_records_.value());
  environment_.counters.appended_bytes.add(appended_bytes_.value());
}

segment::SegmentLimits Partition::limits() const {
  return {.segment_bytes = static_cast<std::uint64_t>(config_.segment_bytes),
          .index_bytes = static_cast<std::uint64_t>(config_.segment_index_bytes),
          .index_interval_bytes = static_cast<std::uint64_t>(config_.index_interval_bytes),
          .mapped_writes = mapped_writes_};
}

void Partition::change_list(const std::function<void(std::vector<segment::SegmentPtr>&)>& change) {
  const base::MutexLock lock(list_mutex_);
  const auto list = segments_.load();
  std::vector<segment::SegmentPtr> segments;
  if (list) segments.assign(list->begin(), list->end());
  change(segments);
  segments_.store(std::make_shared<const SegmentList>(std::move(segments)));
}

void Partition::replace_list(std::vector<segment::SegmentPtr> segments) {
  change_list([&](std::vector<segment::SegmentPtr>& list) { list = std::move(segments); });
}

void Partition::set_config(TopicConfig config) noexcept {
  const base::MutexLock lock(append_mutex_);
  // The old one is freed behind the lock.
  std::swap(config_, config);
  batch_bytes_max_ = largest_batch(config_);
  flush_ms_.store(config_.flush_ms, std::memory_order_relaxed);
  if (config_.cleanup_policy != CleanupPolicy::delete_) may_have_gaps_.store(true, std::memory_order_release);
}

TopicConfig Partition::config() const {
  const base::MutexLock lock(append_mutex_);
  return config_;
}

void Partition::set_compacted_to(Offset offset) {
  const base::MutexLock lock(append_mutex_);
  compacted_to_ = offset;
}

std::optional<std::string> Partition::damage() const {
  const base::MutexLock lock(append_mutex_);
  return damage_;
}

std::uint64_t Partition::size_bytes() const {
  std::uint64_t total = 0;
  const auto list = segments_.load();
  for (const auto& segment : *list) total += segment->end_position();
  return total;
}

std::uint64_t Partition::pinned_deleted_bytes() const {
  const auto count = [this]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    forget_released_segments();
    std::uint64_t total = 0;
    for (const auto& segment : deleted_segments_) total += segment->end_position();
    return total;
  };
  // The holder of a claim holds the mutex.
  if (claim_holder_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return count();
  const base::MutexLock lock(append_mutex_);
  return count();
}

void Partition::forget_released_segments() const {
  std::erase_if(deleted_segments_, [](const segment::SegmentPtr& segment) { return !segment->is_pinned(); });
}

PartitionCheckpoint Partition::checkpoint() const {
  PartitionCheckpoint checkpoint;
  {
    const base::MutexLock lock(sync_mutex_);
    checkpoint.log_start_offset = log_start_offset();
    checkpoint.recovery_point_offset = synced_.end_offset;
    checkpoint.recovery_segment_base = synced_.segment_base;
    checkpoint.recovery_position = synced_.position;
  }
  const base::MutexLock lock(append_mutex_);
  checkpoint.compacted_to_offset = compacted_to_;
  return checkpoint;
}

Offset Partition::stored_recovery_base() const {
  const base::MutexLock lock(append_mutex_);
  return stored_recovery_base_;
}

Result<PartitionCheckpoint> Partition::close() {
  PartitionCheckpoint result;
  auto done = maintain(IfBusy::wait, [&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<> {
    auto closed = close_files();
    if (!closed) return closed.error();
    result = *closed;
    return {};
  });
  if (!done) return done.error();
  return result;
}

Result<PartitionCheckpoint> Partition::close_files() {
  if (auto synced = sync(); !synced) return synced.error();
  {
    const base::MutexLock lock(append_mutex_);
    if (closed_) return Error(Errc::closed, directory_ + " is closed already");
    closed_ = true;
  }
  // Syncs batches that slipped in between the sync and the flag; nothing can any more.
  if (auto synced = sync(); !synced) return synced.error();
  Offset end = 0;
  {
    const base::MutexLock lock(append_mutex_);
    end = offsets_.log_end();
    if (auto written = write_snapshot(); !written) return written.error();
    seal_transactions();
    if (auto trimmed = active_->trim(); !trimmed) return trimmed.error();
    // The new length has to be durable too: a clean close promises exact files.
    if (auto synced = active_->segment()->sync(); !synced) return synced.error();
  }
  PartitionCheckpoint result = checkpoint();
  result.clean_end_offset = end;
  return result;
}

std::vector<segment::SegmentPtr> Partition::abandon() {
  mark_deleted();
  listeners().notify();                                   // Waiting readers wait for nothing.
  const base::MutexLock maintenance(maintenance_mutex_);  // A compaction that runs sees the mark and ends.
  const base::MutexLock lock(append_mutex_);
  const auto list = segments_.load();
  deleted_segments_.reserve(deleted_segments_.size() + list->size());
  // Metrics that add up open partitions no longer see this one, and handles may keep it for long.
  tell_counters();
  closed_ = true;
  active_->abandon();
  for (const auto& segment : *list) {
    segment->mark_deleted();
    deleted_segments_.push_back(segment);
  }
  forget_released_segments();
  return std::move(deleted_segments_);
}

}  // namespace seriatim::partition
