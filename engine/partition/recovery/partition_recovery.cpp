#include "partition/recovery/partition_recovery.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "format/batch/control_record.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "segment/scan/batch_search.hpp"

namespace seriatim::partition {

using segment::RecoveredSegment;
using segment::SegmentFileInfo;

Result<std::shared_ptr<Partition>> Partition::open(const PartitionEnvironment& environment,
                                                   const PartitionRequest& request) {
  return PartitionOpener(environment, request).open();
}

PartitionOpener::PartitionOpener(const PartitionEnvironment& environment, const PartitionRequest& request)
    : environment_(environment), request_(request) {}

Result<std::shared_ptr<Partition>> PartitionOpener::open() {
  auto listing = prepare_files();
  if (!listing) return listing.error();
  partition_.reset(new Partition(environment_, request_));
  if (auto loaded = load_producers(*listing); !loaded) return loaded.error();
  if (auto recovered = recover_segments(*listing); !recovered) return recovered.error();
  if (auto opened = open_active(); !opened) return opened.error();
  publish_offsets();
  auto pruned = partition_->prune_snapshots();
  if (!pruned) return pruned.error();
  // A snapshot of records that a crash took must not come back once their offsets have other owners.
  if (*pruned > 0) {
    if (auto synced = environment_.files.vfs.sync_directory(request_.directory); !synced)
      return synced.error();
  }
  return std::move(partition_);
}

// Brings home what the journal has, and takes away what is nobody's.
Result<segment::DirectoryListing> PartitionOpener::prepare_files() {
  if (auto prepared = prepare_directory(); !prepared) return prepared.error();
  auto listing = segment::list_segments(environment_.files.vfs, request_.directory);
  if (!listing) return listing;
  auto restored = restore_journalled(*listing);
  if (!restored) return restored.error();
  if (*restored > 0) listing = segment::list_segments(environment_.files.vfs, request_.directory);
  if (!listing) return listing;
  for (const auto& orphan : listing->orphans) {
    if (auto removed = environment_.files.vfs.remove(os::join_path(request_.directory, orphan)); !removed)
      return removed.error();
  }
  clean_ = is_clean(*listing);
  if (request_.stop == segment::LastStop::clean && !clean_) {
    if (auto moved = set_strangers_aside(*listing); !moved) return moved.error();
    // The files may be as the close left them.
    clean_ = is_clean(*listing);
    is_foreign_ = !clean_;
  }
  return listing;
}

Result<> PartitionOpener::prepare_directory() {
  auto& vfs = environment_.files.vfs;
  auto exists = vfs.exists(request_.directory);
  if (!exists) return exists.error();
  if (*exists) {
    // Names that a writer was killed before it could sync: what is done next relies on them, and a power cut
    // must not take them back.
    auto finished = segment::finish_interrupted_work(environment_.files, request_.directory);
    if (!finished || request_.checkpoint.clean_end_offset >= 0) return finished;
    return vfs.sync_directory(request_.directory);
  }
  if (auto created = vfs.create_directory(request_.directory); !created) return created;
  return vfs.sync_directory(os::parent_path(request_.directory));
}

// Clean: the last close said where the log ends, and the files agree.
bool PartitionOpener::is_clean(const segment::DirectoryListing& listing) const {
  const auto& checkpoint = request_.checkpoint;
  return checkpoint.clean_end_offset >= 0 &&
         checkpoint.clean_end_offset == checkpoint.recovery_point_offset && !listing.segments.empty() &&
         listing.segments.back().base_offset == checkpoint.recovery_segment_base &&
         listing.segments.back().log_bytes == checkpoint.recovery_position;
}

segment::RecoveryRequest PartitionOpener::request_for(const SegmentFileInfo& file, Offset next_base) const {
  const auto& config = request_.config;
  const auto& checkpoint = request_.checkpoint;
  segment::RecoveryRequest request{
      .directory = request_.directory,
      .base_offset = file.base_offset,
      .limits = {.segment_bytes = static_cast<std::uint64_t>(config.segment_bytes),
                 .index_bytes = static_cast<std::uint64_t>(config.segment_index_bytes),
                 .index_interval_bytes = static_cast<std::uint64_t>(config.index_interval_bytes),
                 .mapped_writes = request_.mapped_writes},
      .is_sealed = next_base >= 0,
      .may_have_gaps =
          may_have_gaps() && (is_foreign_ || file.base_offset < checkpoint.recovery_segment_base),
      .indexes_synced = clean_ || (!is_foreign_ && file.base_offset < checkpoint.recovery_segment_base),
      .stop = request_.stop};
  if (next_base >= 0) request.offsets_end = next_base;
  if (request_.is_decided) {
    request.accepts_control = [this](const format::BatchHeader& header, base::ByteSpan batch) {
      return format::read_control_batch(batch) != format::ControlBatch::commit ||
             request_.is_decided(header.producer_id, header.producer_epoch);
    };
  }
  // The catalog's state of other files says nothing about these.
  if (is_foreign_) return request;
  if (file.base_offset < checkpoint.recovery_segment_base) {
    request.durable_position = file.log_bytes;  // Sealed and synced before the recovery point could pass it.
  } else if (file.base_offset == checkpoint.recovery_segment_base) {
    request.durable_position = checkpoint.recovery_position;
    request.durable_offset =
        checkpoint.recovery_position == 0 ? file.base_offset : checkpoint.recovery_point_offset;
  }
  return request;
}

Result<> PartitionOpener::recover_segments(const segment::DirectoryListing& listing) {
  const auto& files = listing.segments;
  note_missing_segment(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto goes_on = recover_one(files, i);
    if (!goes_on) return goes_on.error();
    if (!*goes_on) break;
  }
  return {};
}

// The segment of the recovery point goes with those before it, if retention takes it. Alone it is not taken.
void PartitionOpener::note_missing_segment(const std::vector<SegmentFileInfo>& files) {
  const auto& checkpoint = request_.checkpoint;
  const bool is_there = std::any_of(files.begin(), files.end(), [&](const auto& file) {
    return file.base_offset == checkpoint.recovery_segment_base;
  });
  const bool was_retired = !files.empty() && files.front().base_offset > checkpoint.recovery_segment_base;
  if (checkpoint.recovery_position == 0 || is_there || was_retired) return;
  note_damage(os::join_path(request_.directory,
                            format::file_name(checkpoint.recovery_segment_base, format::FileKind::log)) +
              " is missing, with records up to offset " + std::to_string(checkpoint.recovery_point_offset) +
              " that were on stable storage. Restore the file from a copy, or go on without them");
}

// False: nothing follows, or it was moved aside, because the segment had to be cut where nothing is known to
// be durable and what follows cannot belong to the log.
Result<bool> PartitionOpener::recover_one(const std::vector<SegmentFileInfo>& files, std::size_t index) {
  const SegmentFileInfo& file = files[index];
  const bool is_last = index + 1 == files.size();
  const Offset next_base = is_last ? -1 : files[index + 1].base_offset;
  auto request = request_for(file, next_base);
  // An empty file may be what a failed roll left, within the segment before it.
  const auto next = std::find_if(files.begin() + static_cast<std::ptrdiff_t>(index) + 1, files.end(),
                                 [](const SegmentFileInfo& after) { return after.log_bytes > 0; });
  request.offsets_end = next == files.end() ? std::numeric_limits<Offset>::max() : next->base_offset;
  // A file that is shorter than what was synced has lost acknowledged data; only what is there can be
  // scanned, and all of it was acknowledged.
  const bool below_durable = file.log_bytes < request.durable_position;
  if (below_durable) {
    request.durable_position = 0;
    request.stop = segment::LastStop::kill;
    request.accepts_control = {};  // The decisions are in the catalog, and no longer in the journal.
  }
  auto found = segment::scan_segment(environment_.files, request);
  if (!found) return found.error();
  has_gaps_ = has_gaps_ || found->has_gaps;
  const bool stops_early = found->state.end_position < file.log_bytes;
  // A writer that is stopped while it rolls leaves its successor behind a segment that is complete and not
  // yet trimmed.
  const bool is_untrimmed = stops_early && !is_last && found->fault == format::BatchFault::end_of_log &&
                            found->state.end_offset == next_base;
  // An empty file may be what a failed roll left: the log went on before it.
  const Offset end_so_far = segments_.empty() ? Offset{0} : segments_.back()->end_offset();
  // Compaction takes nothing above the stored recovery point, and below the log start nothing is missed.
  const bool is_below_point = next_base <= request_.checkpoint.recovery_point_offset;
  const bool may_end_early = has_gaps_ || (may_have_gaps() && (is_foreign_ || is_below_point));
  const Offset wanted_from = std::max(end_so_far, request_.checkpoint.log_start_offset);
  const bool power_was_cut = request_.stop == segment::LastStop::power_cut;
  // A file that ends well, but before its successor begins, has lost its end.
  const bool has_hole = !is_last && (!stops_early || !power_was_cut) && !below_durable && !may_end_early &&
                        found->contained_fault == format::BatchFault::none &&
                        std::max(found->state.end_offset, wanted_from) < next_base;
  // Only a power cut takes what was not synced.
  const bool hole_is_damage = has_hole && (!power_was_cut || is_below_point);
  if (hole_is_damage) note_hole(file, found->state, next_base);
  const bool whole = (!stops_early || is_untrimmed) && !below_durable && (!has_hole || hole_is_damage);
  if (found->contained_fault != format::BatchFault::none) note_fault(file, *found);
  if (found->indexes_need_rebuild) {
    if (auto rebuilt = segment::rebuild_indexes(environment_.files, request, found->state); !rebuilt)
      return rebuilt.error();
  }
  // A segment that lost durable records is contained: its successors were written behind them and are as good
  // as before. And where no record is missing there is only a tail to cut: that of a sealed segment whose new
  // length did not reach the disk.
  const bool is_followed =
      !is_last && (whole || below_durable || !power_was_cut || found->state.end_offset == next_base);
  // Before the cut, which takes away the reason: whoever dies in between finds it again.
  if (!is_last && !is_followed) {
    if (auto moved = set_aside(files, index + 1); !moved) return moved.error();
  }
  // Also when nothing is to be cut: an earlier recovery may have died between its cut and its sync.
  if (stops_early || below_durable || (!is_followed && !clean_)) {
    if (auto cut = cut_tail(file, *found, below_durable); !cut) return cut.error();
  }
  last_state_ = found->state;
  if (is_followed) {
    // Compaction may have emptied the end of a segment: its successor's base is where it ends.
    found->state.end_offset = std::max(found->state.end_offset, next_base);
    segments_.push_back(
        segment::Segment::sealed(environment_.files, environment_.maps, request_.directory, found->state));
  }
  return is_followed;
}

Result<> PartitionOpener::cut_tail(const SegmentFileInfo& file, const RecoveredSegment& found,
                                   bool below_durable) {
  const std::string path =
      os::join_path(request_.directory, format::file_name(file.base_offset, format::FileKind::log));
  if (below_durable) {
    note_damage(
        path + " ends at position " + std::to_string(found.state.end_position) + " (offset " +
        std::to_string(found.state.end_offset) + "), but records up to offset " +
        std::to_string(request_.checkpoint.recovery_point_offset) +
        " were on stable storage: they are lost. Restore the file from a copy, or go on without them");
  } else if (!is_foreign_ && found.state.end_position < file.log_bytes &&
             found.fault != format::BatchFault::end_of_log && found.fault != format::BatchFault::none) {
    environment_.report(false, path + ": cut at position " + std::to_string(found.state.end_position) +
                                   ", offset " + std::to_string(found.state.end_offset) + ": " +
                                   std::string(format::describe(found.fault)) +
                                   "; nothing behind it was acknowledged as durable");
  }
  auto is_ours = is_our_tail(path, found, below_durable);
  if (!is_ours) return is_ours.error();
  const bool is_empty =
      found.fault == format::BatchFault::end_of_log || found.fault == format::BatchFault::none;
  if (!is_empty) {
    auto noted =
        note_taken(path, found.state.end_position,
                   std::string(format::describe(found.fault)) +
                       (*is_ours ? "; the log ends here, and what lies behind is cut, none of which was "
                                   "acknowledged as durable"
                                 : "; what lies behind is no part of the log, and is moved aside"));
    if (!noted) return noted;
  }
  if (!*is_ours) {
    if (auto kept = keep_tail(path, found); !kept) return kept;
  }
  return segment::erase_tail(environment_.files, path, found.state.end_position);
}

// Not those that others have put there, nor those of a file that lost acknowledged records, nor a batch that
// is whole: they are set aside before they are cut (INV-12).
Result<bool> PartitionOpener::is_our_tail(const std::string& path, const RecoveredSegment& found,
                                          bool below_durable) {
  if (is_foreign_ || below_durable || request_.stop == segment::LastStop::losses) return false;
  if (found.fault == format::BatchFault::undecided || found.fault == format::BatchFault::unpublished)
    return true;
  auto log = environment_.files.files.open(path, os::OpenMode::read);
  if (!log) return log.error();
  segment::FileLogBytes bytes(**log);
  auto is_whole = segment::is_whole_batch(bytes, found.state.end_position, found.file_bytes);
  if (!is_whole) return is_whole;
  return !*is_whole;
}

Result<> PartitionOpener::keep_tail(const std::string& path, const RecoveredSegment& found) {
  auto copy = segment::copy_tail_aside(environment_.files, path, found.state.end_position);
  if (!copy) return copy.error();
  if (copy->empty()) return {};
  environment_.report(true, path + ": the bytes from position " + std::to_string(found.state.end_position) +
                                " on are no part of the log (" + std::string(format::describe(found.fault)) +
                                ") and were moved to " + *copy);
  return {};
}

Result<> PartitionOpener::set_aside(const std::vector<SegmentFileInfo>& files, std::size_t from) {
  auto& vfs = environment_.files.vfs;
  for (std::size_t i = from; i < files.size(); ++i) {
    const std::string path =
        os::join_path(request_.directory, format::file_name(files[i].base_offset, format::FileKind::log));
    auto noted = note_taken(path, 0, "the segment begins behind the end of the log, and is moved aside");
    if (!noted) return noted;
    auto moved = segment::move_aside(vfs, path);
    if (!moved) return moved.error();
    environment_.report(true,
                        path + " begins behind a cut in the segment before it and was moved to " + *moved);
    if (auto removed =
            segment::delete_segment_files(environment_.files, request_.directory, files[i].base_offset);
        !removed)
      return removed;
  }
  return vfs.sync_directory(request_.directory);
}

Result<> PartitionOpener::open_active() {
  const base::MutexLock lock(partition_->append_mutex_);
  const auto limits = partition_->limits();
  // Offsets that were on stable storage are never given out again (INV-3), also if their records are lost.
  const Offset floor =
      std::max(request_.checkpoint.log_start_offset, request_.checkpoint.recovery_point_offset);
  const auto go_on = [&] {
    return segment::SegmentWriter::open(environment_.files, environment_.maps, request_.directory,
                                        *last_state_, limits);
  };
  const auto begin = [&]() -> Result<segment::SegmentWriterPtr> {
    if (last_state_) {
      if (is_foreign_) note_shorter_log();
      if (auto sealed = seal_short_segment(); !sealed) return sealed.error();
    }
    return segment::SegmentWriter::create(environment_.files, environment_.maps, request_.directory, floor,
                                          limits);
  };
  auto active = last_state_ && last_state_->end_offset >= floor ? go_on() : begin();
  if (!active) return active.error();
  (*active)->set_created_ms(environment_.clock.wall_ms());
  segments_.push_back((*active)->segment());
  partition_->active_ = *std::move(active);
  partition_->damage_ = damage_;
  if (auto replayed = replay_producers(); !replayed) return replayed;
  producers_.set_end_offset(partition_->active_->segment()->end_offset());
  for (const Offset first_offset : producers_.open()) partition_->offsets_.held_back().add(first_offset);
  partition_->journalled_from_ = partition_->active_->segment()->end_offset();
  partition_->has_transactions_ = !producers_.empty();
  partition_->producers_ = std::move(producers_);
  partition_->snapshots_ = std::move(snapshots_);
  partition_->snapshot_at_bytes_ = -static_cast<std::int64_t>(replayed_bytes_);
  partition_->may_have_gaps_.store(may_have_gaps() || has_gaps_, std::memory_order_release);
  // The next open does not look at every batch, and has to know of them.
  if (has_gaps_) partition_->compacted_to_ = std::max(partition_->compacted_to_, Offset{1});
  partition_->replace_list(segments_);
  return {};
}

// The last segment lost durable records, so that it cannot be appended to. Its indexes may still have what
// was allocated ahead.
Result<> PartitionOpener::seal_short_segment() {
  auto request =
      request_for({.base_offset = last_state_->base_offset, .log_bytes = last_state_->end_position},
                  last_state_->end_offset);
  if (auto rebuilt = segment::rebuild_indexes(environment_.files, request, *last_state_); !rebuilt)
    return rebuilt;
  segments_.push_back(
      segment::Segment::sealed(environment_.files, environment_.maps, request_.directory, *last_state_));
  return {};
}

void PartitionOpener::publish_offsets() {
  const Offset end = segments_.back()->end_offset();
  const Offset start = std::clamp(
      std::max(request_.checkpoint.log_start_offset, segments_.front()->base_offset()), Offset{0}, end);
  const Offset durable = std::min(request_.checkpoint.recovery_point_offset, end);
  partition_->offsets_.reset(start, durable, end);
  const base::MutexLock lock(partition_->sync_mutex_);
  const bool is_known = request_.checkpoint.recovery_segment_base <= segments_.back()->base_offset();
  // An empty file that was lost took nothing with it, but its place is no place in what is there.
  partition_->synced_ = {
      .end_offset = durable,
      .segment_base = is_known ? request_.checkpoint.recovery_segment_base : segments_.back()->base_offset(),
      .position = is_known ? request_.checkpoint.recovery_position : 0};
  // From the recovery point on, logs and indexes may be as they should only in the page cache.
  const base::MutexLock append_lock(partition_->append_mutex_);
  for (const auto& segment : segments_) {
    const bool is_settled = segment->base_offset() < request_.checkpoint.recovery_segment_base;
    if (segment != partition_->active_->segment() && !is_settled) partition_->unsynced_.push_back(segment);
  }
}

// Where a compaction was ever allowed, batches may be missing.
bool PartitionOpener::may_have_gaps() const noexcept {
  return request_.checkpoint.compacted_to_offset > 0 ||
         request_.config.cleanup_policy != CleanupPolicy::delete_;
}

void PartitionOpener::note_fault(const SegmentFileInfo& file, const RecoveredSegment& found) {
  note_damage(os::join_path(request_.directory, format::file_name(file.base_offset, format::FileKind::log)) +
              " at position " + std::to_string(found.contained_fault_position) + ": " +
              std::string(format::describe(found.contained_fault)) +
              ". It was left where it is, and what is behind it stays readable; `seriatim verify` shows the "
              "extent");
}

void PartitionOpener::note_hole(const SegmentFileInfo& file, const segment::SegmentState& state,
                                Offset next_base) {
  note_damage(os::join_path(request_.directory, format::file_name(file.base_offset, format::FileKind::log)) +
              " ends at position " + std::to_string(state.end_position) + " (offset " +
              std::to_string(state.end_offset) + "), but the next segment begins with offset " +
              std::to_string(next_base) +
              ": the records between are missing. Restore the file from a copy, or go on without them");
}

void PartitionOpener::note_damage(std::string what) {
  environment_.report(true, what);
  damage_ = damage_ ? *damage_ + "; " + what : std::move(what);
}

}  // namespace seriatim::partition
