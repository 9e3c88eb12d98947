// Rolling on request, retention, and the swap that ends a compaction.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/boundary.hpp"
#include "partition/partition.hpp"
#include "partition/retention.hpp"
#include "segment/segment_store.hpp"

namespace seriatim::partition {

Result<> Partition::roll() {
  const base::MutexLock lock(append_mutex_);
  if (auto checked = check_appendable(0); !checked) return checked;
  return roll_locked();
}

Result<> Partition::advance_log_start(Offset offset) {
  const base::MutexLock lock(append_mutex_);
  if (offset > offsets_.last_stable()) {
    return Error(Errc::offset_out_of_range, "the log start of " + directory_ + " cannot move to " +
                                                std::to_string(offset) + ", beyond the last stable offset " +
                                                std::to_string(offsets_.last_stable()));
  }
  offsets_.advance_log_start(offset);
  return {};
}

// In a lock of its own around the whole step: between its looks at the list of segments it deletes, writes
// and renames files without the append mutex, and two of them would take each other's for their own.
Result<bool> Partition::maintain(IfBusy if_busy,
                                 const std::function<Result<>()>& step) SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
  if (auto checked = check_unclaimed("compacting or trimming the same partition"); !checked)
    return checked.error();
  if (if_busy == IfBusy::skip) {
    if (!maintenance_mutex_.try_lock()) return false;
  } else {
    maintenance_mutex_.lock();
  }
  // A step without memory ends by an exception.
  const base::Undoing unlocking([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { maintenance_mutex_.unlock(); });
  auto done = step();
  if (!done) return done.error();
  return true;
}

Result<Partition::RetentionResult> Partition::apply_retention(IfBusy if_busy, const ReadProgress& read) {
  RetentionResult result;
  auto done = maintain(if_busy, [&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<> {
    auto deleted = delete_expired(read);
    if (!deleted) return deleted.error();
    result = *deleted;
    return {};
  });
  if (!done) return done.error();
  return result;
}

Result<Partition::RetentionResult> Partition::delete_expired(const ReadProgress& read) {
  std::vector<segment::SegmentPtr> expired;
  {
    const base::MutexLock lock(append_mutex_);
    if (closed_) return RetentionResult{};
    RetentionInput input{.config = config_,
                         .now_ms = environment_.clock.wall_ms(),
                         .log_start = offsets_.log_start(),
                         .last_stable_offset = offsets_.last_stable(),
                         .read = read};
    auto list = segments_.load();
    std::size_t count = count_deletable(*list, input);
    if (count == list->size()) {
      // The active segment goes too: at least one segment remains, and the log end never moves back.
      if (auto rolled = roll_locked(); !rolled) return rolled.error();
      list = segments_.load();
      count = std::min(count, list->size() - 1);
    }
    if (count == 0 && undeleted_.empty()) return RetentionResult{};
    const auto split = list->begin() + static_cast<std::ptrdiff_t>(count);
    expired.assign(list->begin(), split);
    // Readers below the new start get offset_out_of_range from here on; whoever holds a pin keeps its bytes.
    offsets_.advance_log_start(std::max(offsets_.log_start(), (*split)->base_offset()));
    change_list([&](std::vector<segment::SegmentPtr>& segments) {
      segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(expired.size()));
    });
    std::erase_if(unsynced_, [&](const segment::SegmentPtr& s) {
      return std::find(expired.begin(), expired.end(), s) != expired.end();
    });
    forget_released_segments();
    deleted_segments_.insert(deleted_segments_.end(), expired.begin(), expired.end());
  }
  undeleted_.insert(undeleted_.end(), expired.begin(), expired.end());
  RetentionResult result;
  // From the front, and what fails is the next call's to go on with: nobody else would before the next open.
  for (; !undeleted_.empty(); undeleted_.erase(undeleted_.begin())) {
    const segment::SegmentPtr& segment = undeleted_.front();
    segment->mark_deleted();
    environment_.maps.forget(segment.get());
    if (auto deleted = segment::delete_segment_files(environment_.files, directory_, segment->base_offset());
        !deleted) {
      return deleted.error();
    }
    ++result.segments;
    result.bytes += segment->end_position();
  }
  environment_.counters.deleted_segments.add(result.segments);
  environment_.counters.deleted_bytes.add(result.bytes);
  // A snapshot of producers at the beginning of a deleted segment is of no use without it.
  if (auto pruned = prune_snapshots(); !pruned) return pruned.error();
  return result;
}

Result<> Partition::reload() {
  const base::MutexLock lock(swap_mutex_);
  return {};
}

// The append mutex is not held while files are renamed and directories synced: appends, checkpoints and
// time-outs would wait for the disk on behalf of compaction (INV-14).
Result<> Partition::replace_segments(Offset first_base, Offset end_base,
                                     const std::vector<segment::SegmentPtr>& replacement,
                                     const std::function<Result<>()>& swap_files) {
  std::vector<segment::SegmentPtr> replaced;
  {
    const base::MutexLock lock(append_mutex_);
    const auto list = segments_.load();
    for (const auto& segment : *list) {
      if (segment->base_offset() < first_base || segment->base_offset() >= end_base) continue;
      if (segment == active_->segment() || !segment->is_sealed()) {
        return Error(Errc::invalid_state,
                     "compaction of " + directory_ + " would replace the active segment");
      }
      replaced.push_back(segment);
    }
  }
  if (replaced.empty())
    return Error(Errc::invalid_state, "the segments to be compacted in " + directory_ + " are gone");
  may_have_gaps_.store(true, std::memory_order_release);
  {
    const base::MutexLock swapping(swap_mutex_);
    if (auto swapped = swap_files(); !swapped) return swapped;
    change_list([&](std::vector<segment::SegmentPtr>& segments) {
      const auto first = std::find(segments.begin(), segments.end(), replaced.front());
      const auto rest = segments.erase(first, first + static_cast<std::ptrdiff_t>(replaced.size()));
      segments.insert(rest, replacement.begin(), replacement.end());
    });
  }
  const base::MutexLock lock(append_mutex_);
  forget_released_segments();
  for (const auto& segment : replaced) {
    segment->mark_deleted();
    environment_.maps.forget(segment.get());
    std::erase(unsynced_, segment);
    deleted_segments_.push_back(segment);
  }
  return {};
}

}  // namespace seriatim::partition
