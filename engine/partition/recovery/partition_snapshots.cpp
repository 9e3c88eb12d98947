// The producers of a partition: what is known of them, when it is written, and which snapshots are kept.
#include <algorithm>
#include <iterator>
#include <utility>

#include "format/file_name.hpp"
#include "os/path.hpp"
#include "partition/partition.hpp"

namespace seriatim::partition {
namespace {

// The last of `offsets`, ascending, at or below `limit`; -1 if there is none.
Offset newest_at_or_below(const std::vector<Offset>& offsets, Offset limit) {
  const auto after = std::upper_bound(offsets.begin(), offsets.end(), limit);
  return after == offsets.begin() ? -1 : *std::prev(after);
}

// The snapshot first: `.producers` without one is known to be left over. A file that is gone is no error.
Result<> remove_snapshot(os::Vfs& vfs, const std::string& directory, Offset offset) {
  for (const auto kind : {format::FileKind::snapshot, format::FileKind::producers}) {
    auto removed = vfs.remove(os::join_path(directory, format::file_name(offset, kind)));
    if (!removed && removed.error().code() != Errc::not_found) return removed;
  }
  return {};
}

}  // namespace

void Partition::note_snapshot(Offset offset, std::uint64_t appended_bytes) {
  snapshot_at_bytes_ = std::max(snapshot_at_bytes_, static_cast<std::int64_t>(appended_bytes));
  const auto at = std::lower_bound(snapshots_.begin(), snapshots_.end(), offset);
  if (at == snapshots_.end() || *at != offset) snapshots_.insert(at, offset);
}

Result<> Partition::write_snapshot() {
  const Offset end = offsets_.log_end();
  producers_.set_end_offset(end);
  const base::MutexLock lock(snapshot_mutex_);
  if (auto written =
          producers_.write_snapshot(environment_.files.vfs, directory_, environment_.clock.wall_ms());
      !written)
    return written;
  note_snapshot(end, appended_bytes_.value());
  return {};
}

// Of a copy: appends need not wait for the disk.
Result<> Partition::write_snapshot_if_far() {
  ProducerState copy;
  Offset end = 0;
  std::uint64_t appended_bytes = 0;
  {
    const base::MutexLock lock(append_mutex_);
    appended_bytes = appended_bytes_.value();
    const auto behind = static_cast<std::int64_t>(appended_bytes) - snapshot_at_bytes_;
    if (closed_ || behind < static_cast<std::int64_t>(snapshot_every_bytes_)) return {};
    end = offsets_.log_end();
    copy = producers_;
  }
  copy.set_end_offset(end);
  {
    const base::MutexLock lock(snapshot_mutex_);
    if (auto written = copy.write_snapshot(environment_.files.vfs, directory_, environment_.clock.wall_ms());
        !written)
      return written;
  }
  const base::MutexLock lock(append_mutex_);
  note_snapshot(end, appended_bytes);
  return {};
}

// The snapshot first: it must not be above the recovery point that is stored next, or it would be of no use.
Result<SyncMark> Partition::prepare_checkpoint() {
  if (auto written = write_snapshot_if_far(); !written) return written.error();
  return sync_mark();
}

bool Partition::is_stored(const PartitionCheckpoint& checkpoint) const {
  const base::MutexLock lock(append_mutex_);
  PartitionCheckpoint stored = stored_;
  stored.clean_end_offset = checkpoint.clean_end_offset;
  return stored == checkpoint;
}

void Partition::checkpoint_stored(const PartitionCheckpoint& checkpoint) {
  {
    const base::MutexLock lock(append_mutex_);
    stored_ = checkpoint;
    stored_recovery_base_ = std::max(stored_recovery_base_, checkpoint.recovery_segment_base);
    stored_recovery_point_ = std::max(stored_recovery_point_, checkpoint.recovery_point_offset);
  }
  if (auto pruned = prune_snapshots(); !pruned) environment_.report(true, pruned.error().message());
}

Result<std::size_t> Partition::prune_snapshots() {
  std::vector<Offset> unneeded;
  {
    const base::MutexLock lock(append_mutex_);
    if (snapshots_.empty()) return std::size_t{0};
    const auto list = segments_.load();
    const Offset end = offsets_.log_end();
    // As recovery chooses it: retention may have passed the stored recovery point.
    const Offset begun_at =
        newest_at_or_below(snapshots_, std::max(stored_recovery_point_, list->front()->base_offset()));
    const Offset newest = newest_at_or_below(snapshots_, end);
    const auto is_needed = [&](Offset offset) {
      if (offset > end) return false;  // of records that a crash took
      const bool is_base = (*list)[list->find(offset)]->base_offset() == offset;
      return is_base || offset == begun_at || offset == newest;
    };
    std::copy_if(snapshots_.begin(), snapshots_.end(), std::back_inserter(unneeded),
                 [&](Offset offset) { return !is_needed(offset); });
    std::erase_if(snapshots_, [&](Offset offset) { return !is_needed(offset); });
  }
  for (std::size_t i = 0; i < unneeded.size(); ++i) {
    auto removed = remove_snapshot(environment_.files.vfs, directory_, unneeded[i]);
    if (removed) continue;
    const base::MutexLock lock(append_mutex_);
    for (; i < unneeded.size(); ++i) {
      snapshots_.insert(std::upper_bound(snapshots_.begin(), snapshots_.end(), unneeded[i]), unneeded[i]);
    }
    return removed.error();
  }
  return unneeded.size();
}

std::optional<Sequence> Partition::next_sequence(ProducerId producer_id, ProducerEpoch epoch) const {
  const base::MutexLock lock(append_mutex_);
  const ProducerInfo* const known = producers_.find(producer_id);
  if (known == nullptr || known->epoch != epoch) return std::nullopt;
  return known->next_sequence();
}

std::optional<ProducerInfo> Partition::producer(ProducerId producer_id) const {
  const base::MutexLock lock(append_mutex_);
  const ProducerInfo* const known = producers_.find(producer_id);
  return known == nullptr ? std::optional<ProducerInfo>() : *known;
}

std::map<ProducerId, ProducerInfo> Partition::producers() const {
  const base::MutexLock lock(append_mutex_);
  return producers_.all();
}

std::size_t Partition::expire_producers(std::int64_t older_than_ms) {
  const base::MutexLock lock(append_mutex_);
  return producers_.expire(older_than_ms, environment_.clock.wall_ms());
}

}  // namespace seriatim::partition
