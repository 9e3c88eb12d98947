// The transactions that a tailing log knows: which are open, so that it has a last stable offset, and which
// were aborted since it began to look. It begins at the newest producer snapshot, which the writer takes
// every few megabytes and with every segment, and walks headers from there.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "format/batch/batch_check.hpp"
#include "format/batch_header.hpp"
#include "partition/read/aborted_lookup.hpp"
#include "partition/read/aborted_transactions.hpp"
#include "partition/tail/tailing_log.hpp"
#include "segment/header_walk.hpp"

namespace seriatim::partition {

// At the first look, and again if retention has passed what was noted. Snapshots may go while we look, and
// one that cannot be read is as good as none.
void TailingLog::begin_noting(const std::vector<Offset>& snapshots) {
  const Offset front = older_.empty() ? active_->base_offset() : older_.front().base_offset;
  if (is_noting_ && producers_.end_offset() >= front) return;
  is_noting_ = true;
  // Transactions committed above the recovery point have to be seen.
  const Offset end = look_up_
                         ? std::min(tail_->state().end_offset, std::max(stored_.recovery_point_offset, front))
                         : tail_->state().end_offset;
  for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot) {
    if (*snapshot > end || *snapshot < front) continue;
    ProducerState loaded;
    if (!loaded.load_snapshot(environment_.files.vfs, directory_, *snapshot)) continue;
    producers_ = std::move(loaded);
    noted_from_ = *snapshot;
    return;
  }
  producers_ = ProducerState();
  producers_.set_end_offset(front);
  noted_from_ = front;
}

Result<> TailingLog::note_batches(Offset end) {
  const Offset from = producers_.end_offset();
  if (from >= end) return {};
  for (const auto& known : older_) {
    if (known.segment->end_offset() <= from) continue;
    if (auto noted = note_segment(*known.segment); !noted) return noted;
    // A tailing log that has not looked for long passes many segments at once.
    forget_aborted(known.base_offset);
  }
  if (auto noted = note_segment(*active_); !noted) return noted;
  producers_.set_end_offset(end);
  return {};
}

// Whole batches were found here before, or were known for long; what is damaged is told to whoever reads it.
// Transactions that ended before damage have to be asked of the indexes: a marker may be what is damaged.
Result<> TailingLog::note_segment(segment::Segment& segment) {
  auto pin = segment.pin();
  if (!pin) return pin.error().code() == Errc::corrupt_metadata ? Result<>{} : Result<>(pin.error());
  const Offset from = producers_.end_offset();
  segment::HeaderWalk walk(segment, **pin, from);
  while (const auto item = walk.next()) {
    if (walk.take_damage()) damaged_to_ = item->header.base_offset;
    if (item->header.next_offset() > from) note_batch(item->header, item->batch);
  }
  if (walk.take_damage()) damaged_to_ = segment.end_offset();
  noted_from_ = std::max(noted_from_, damaged_to_);
  return {};
}

void TailingLog::note_batch(const format::BatchHeader& header, base::ByteSpan batch) {
  if (!header.has_producer()) return;
  if (header.is_control()) {
    if (!format::crc_is_valid(batch)) {
      damaged_to_ = header.next_offset();
      return;
    }
    const auto ended = producers_.ended_by(header, batch);
    if (ended && *ended && (*ended)->is_aborted) {
      aborted_.push_back((*ended)->index_entry());
      aborted_.back().first_offset = std::max(aborted_.back().first_offset, damaged_to_);
    }
    if (ended && *ended && !(*ended)->is_aborted) note_commit((*ended)->first_offset, (*ended)->last_offset);
  }
  if (auto noted = producers_.note(header, batch); !noted)
    environment_.report(true, directory_ + ": " + noted.error().message());
}

std::size_t TailingLog::remembered_aborts() const {
  const base::MutexLock lock(mutex_);
  return aborted_.size();
}

void TailingLog::note_commit(Offset first, Offset marker) {
  constexpr std::size_t unsettled_max = 4'096;  // arbitrary
  if (!look_up_ || marker < stored_.recovery_point_offset) return;
  if (unsettled_.size() >= unsettled_max) {
    // Two that are taken for one are shown later than they might be.
    for (std::size_t i = 0; i < unsettled_max / 2; ++i) {
      const Unsettled& a = unsettled_[2 * i];
      const Unsettled& b = unsettled_[2 * i + 1];
      unsettled_[i] = {std::min(a.first, b.first), b.marker};
    }
    unsettled_.resize(unsettled_max / 2);
  }
  unsettled_.push_back({first, marker});
}

// As far as the catalog says: a checkpoint has synced what lies below the recovery point, and what decided
// it. Not into a transaction that was decided above it, nor into one that still may be.
void TailingLog::advance_durable(Offset end) {
  const Offset point = std::min(stored_.recovery_point_offset, end);
  std::erase_if(unsettled_, [&](const Unsettled& commit) { return commit.marker < point; });
  Offset durable = point;
  for (const Unsettled& commit : unsettled_) durable = std::min(durable, commit.first);
  const Offset first_open = producers_.first_open_offset();
  if (first_open >= 0) durable = std::min(durable, first_open);
  offsets_.advance_durable(durable);
}

// The writer has begun a segment behind `kept_from`, so that the indexes of those before it are complete.
// That of the segment which begins there is kept once more, for who has just looked.
void TailingLog::forget_ended(Offset kept_from) {
  producers_.expire(std::numeric_limits<std::int64_t>::max(), 0);
  forget_aborted(kept_from);
}

void TailingLog::forget_aborted(Offset kept_from) {
  noted_from_ = std::max(noted_from_, kept_from);
  std::erase_if(aborted_, [&](const auto& entry) { return entry.last_offset < kept_from; });
}

std::map<ProducerId, ProducerInfo> TailingLog::producers() const {
  const base::MutexLock lock(mutex_);
  return producers_.all();
}

// Whether a sealed segment is still the file that was listed. While compaction exchanges it, its index is
// under no name, which looks as if there were none.
Result<> TailingLog::check_unreplaced(const Known& known) {
  auto file = environment_.files.vfs.open(known.segment->log_path(), os::OpenMode::read);
  if (!file) return file.error();
  auto id = (*file)->id();
  if (!id) return id.error();
  return *id == known.file.log_id ? Result<>{} : Result<>(segment_is_gone(*known.segment));
}

// Ours begin where the noting began; what was ended before is in the indexes, or for them to find out.
Result<> TailingLog::collect_aborted(const segment::SegmentPtr& segment, Offset from, Offset upper,
                                     std::vector<format::AbortedTransaction>& out) {
  const base::MutexLock lock(mutex_);
  const auto list = segments_.load();
  const auto first = std::find(list->begin(), list->end(), segment);
  if (first == list->end()) return segment_is_gone(*segment);
  for (const auto& entry : aborted_) {
    const bool overlaps = entry.last_offset >= from && entry.first_offset < upper;
    if (overlaps && entry.last_offset >= noted_from_) out.push_back(entry);
  }
  if (from >= noted_from_) return {};
  const auto first_index = static_cast<std::size_t>(first - list->begin());
  auto end = AbortedLookup(environment_.files.vfs, directory_, *list)
                 .collect(first_index, {.from = from, .upper = upper, .markers_below = noted_from_}, out);
  if (!end) return end.error();
  for (std::size_t i = first_index; i < std::min(*end, older_.size()); ++i) {
    if (auto same = check_unreplaced(older_[i]); !same) return same;
  }
  return {};
}

}  // namespace seriatim::partition
