// Restores a partition's producers and transactions after a stop: from a snapshot, and the batches behind it.
#include <algorithm>
#include <utility>

#include "format/batch/batch_check.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "partition/recovery/partition_recovery.hpp"
#include "segment/scan/batch_search.hpp"
#include "segment/scan/batch_stream.hpp"

namespace seriatim::partition {

// The newest snapshot at or below the recovery point: one above it may tell of records that did not survive.
Result<> PartitionOpener::load_producers(const segment::DirectoryListing& listing) {
  auto& vfs = environment_.files.vfs;
  // Retention may have passed the stored recovery point: the snapshot at the front of the log is that of what
  // it took.
  const Offset front = listing.segments.empty() ? 0 : listing.segments.front().base_offset;
  const Offset newest = std::max(request_.checkpoint.recovery_point_offset, front);
  for (auto it = listing.snapshots.rbegin(); it != listing.snapshots.rend(); ++it) {
    if (*it > newest) continue;
    auto loaded = producers_.load_snapshot(vfs, request_.directory, *it);
    if (loaded && *loaded) {
      environment_.report(true, (*loaded)->message() + "; of every producer the last batch is known");
      auto moved = segment::move_aside(
          vfs, os::join_path(request_.directory, format::file_name(*it, format::FileKind::producers)));
      if (!moved) return moved.error();
    }
    if (loaded) break;
    const Errc fault = loaded.error().code();
    if (fault != Errc::corrupt_metadata && fault != Errc::unsupported_version) return loaded.error();
    environment_.report(true, loaded.error().message() + "; taking the snapshot before it");
    auto moved = segment::move_aside(
        vfs, os::join_path(request_.directory, format::file_name(*it, format::FileKind::snapshot)));
    if (!moved) return moved.error();
  }
  snapshots_ = listing.snapshots;
  std::erase_if(snapshots_,
                [&](Offset offset) { return offset <= newest && offset > producers_.end_offset(); });
  return {};
}

// Everything behind the snapshot, whatever the recovery point says: the snapshot is older. The last segment
// too that has nothing behind it: its index is written before the marker is published, so that it may tell of
// one that did not survive, or be torn.
Result<> PartitionOpener::replay_producers() {
  const Offset from = producers_.end_offset();
  for (const auto& segment : segments_) {
    const bool is_last = segment == segments_.back();
    if (segment->end_offset() <= from && (!is_last || clean_)) continue;
    if (auto replayed = replay_segment(*segment, from); !replayed) return replayed;
    if (auto restored = restore_transactions(*segment, from); !restored) return restored;
  }
  return {};
}

// The index has to list the transactions that the replay found aborted. About those before `from` only a seal
// can tell; and where damage hides markers, the index, if it can be proved, knows more than the log.
Result<> PartitionOpener::restore_transactions(segment::Segment& segment, Offset from) {
  if (met_damage_) return {};
  auto& index = segment.transactions();
  const std::uint64_t log_bytes = segment.end_position();
  if (auto replaced = index.replace_from(from, aborted_, log_bytes); !replaced) return replaced;
  const Offset end = segment.end_offset();
  if (!segment.is_sealed() || producers_.empty() || producers_.end_offset() != end) return {};
  const Offset first_open = producers_.first_open_offset();
  auto sealed = index.seal(
      {.log_bytes = log_bytes, .end_offset = end, .first_open_offset = first_open >= 0 ? first_open : end});
  return sealed ? index.sync() : sealed;
}

Result<> PartitionOpener::replay_segment(segment::Segment& segment, Offset from) {
  aborted_.clear();
  met_damage_ = false;
  auto log = segment.log_file();
  if (!log) return log.error();
  std::uint64_t start = 0;
  if (from > segment.base_offset()) {
    auto pin = segment.pin();
    if (pin) start = (*pin)->offset_index.floor(from).position;
    // An index that is broken costs time, and is told to whoever reads through it.
    if (!pin && pin.error().code() != Errc::corrupt_metadata) return pin.error();
  }
  const std::uint64_t end = segment.end_position();
  segment::BatchStream stream(**log, start, end, segment.base_offset());
  // The scan has checked them, or they were durable before it. Where it has found damage, that is passed
  // over.
  if (!damage_) stream.trust_crc_below(end);
  for (;;) {
    const Offset expected = stream.expected_offset();
    auto item = stream.next();
    if (!item) return item.error();
    if (item->at_end) return {};
    if (item->fault != format::BatchFault::none) {
      met_damage_ = true;
      segment::FileLogBytes bytes(**log);
      auto sound = segment::find_sound_batch(
          bytes, {.fault_position = item->position, .end = end, .lowest_base = expected});
      if (!sound) return sound.error();
      const std::uint64_t next = *sound ? (*sound)->position : end;
      environment_.report(true, segment.log_path() + " at position " + std::to_string(item->position) + ": " +
                                    std::string(format::describe(item->fault)) +
                                    "; what producers wrote up to position " + std::to_string(next) +
                                    " is not known. `seriatim verify` shows the extent");
      stream.resume_at(next, expected);
      continue;
    }
    if (item->header.next_offset() <= from) continue;
    replayed_bytes_ += item->bytes.size();
    if (item->header.is_control() && !format::crc_is_valid(item->bytes)) {
      met_damage_ = true;
      environment_.report(true, segment.log_path() + " at position " + std::to_string(item->position) +
                                    ": the checksum of the marker at offset " +
                                    std::to_string(item->header.base_offset) +
                                    " does not fit; what it ended is not known");
      continue;
    }
    note_aborted(item->header, item->bytes);
    if (auto noted = producers_.note(item->header, item->bytes); !noted)
      environment_.report(true, request_.directory + ": " + noted.error().message());
  }
}

void PartitionOpener::note_aborted(const format::BatchHeader& header, base::ByteSpan batch) {
  if (!header.is_control()) return;
  const auto ended = producers_.ended_by(header, batch);
  if (!ended || !*ended || !(*ended)->is_aborted) return;
  aborted_.push_back((*ended)->index_entry());
}

}  // namespace seriatim::partition
