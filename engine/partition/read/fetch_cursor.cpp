#include "partition/read/fetch_cursor.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "segment/scan/batch_search.hpp"

namespace seriatim::partition {
namespace {

using format::BatchFault;

std::string place_of(const PartitionLog& log) {
  return log.name().topic + "-" + std::to_string(log.name().partition);
}

}  // namespace

std::string describe_offsets(const PartitionLog& log) {
  // The start may move up between the two looks, the end is asked last.
  const Offset start = log.log_start_offset();
  const Offset end = std::max(start, log.high_watermark());
  const std::string next = "the next record gets " + std::to_string(end);
  if (start == end) return "it holds no record, and " + next;
  return "it holds " + std::to_string(start) + " to " + std::to_string(end - 1) + ", and " + next;
}

Error out_of_range(const PartitionLog& log, Offset offset) {
  return {Errc::offset_out_of_range, "there is no offset " + std::to_string(offset) + " in " + place_of(log) +
                                         ": " + describe_offsets(log) +
                                         "; seek to one of these, or set an auto_offset_reset policy"};
}

void FetchCursor::reset() noexcept {
  segment_.reset();
  pin_.reset();
  positioned_ = false;
}

Result<> FetchCursor::seek(Offset offset) {
  reset();
  const Offset bound = log_->high_watermark();
  if (offset < log_->log_start_offset() || offset > bound) return out_of_range(*log_, offset);
  const auto list = log_->segments().load();
  // Retention may have replaced the list since the check above; its front tells.
  if (list->empty() || offset < list->front()->base_offset()) return out_of_range(*log_, offset);
  if (auto entered = enter((*list)[list->find(offset)], offset); !entered) {
    reset();
    return entered;
  }
  next_offset_ = offset;
  positioned_ = true;
  return {};
}

// Pins `segment` and stands before the batch that holds `offset` in it.
Result<> FetchCursor::enter(segment::SegmentPtr segment, Offset offset) {
  auto pin = segment->pin();
  if (!pin) return pin.error();
  segment_ = std::move(segment);
  pin_ = *std::move(pin);
  position_ = 0;
  lowest_base_ = segment_->base_offset();
  base_is_known_ = true;
  const auto floor = pin_->offset_index.floor(offset);
  if (floor.position == 0) return walk_to(offset);
  // An index has no checksum. An entry is believed if the batch it points at is there and ends as the entry
  // says; else the walk begins at the front.
  position_ = floor.position;
  base_is_known_ = false;
  const std::uint64_t end = segment_->end_position();
  if (position_ >= end || check_at_position(end) != BatchFault::none ||
      format::read_batch_header(pin_->log.data() + position_).last_offset() != floor.last_offset) {
    position_ = 0;
    base_is_known_ = true;
  }
  return walk_to(offset);
}

BatchFault FetchCursor::check_at_position(std::uint64_t end) const noexcept {
  const base::ByteSpan rest{pin_->log.data() + position_, static_cast<std::size_t>(end - position_)};
  const BatchFault fault = format::check_structure(rest, lowest_base_);
  if (fault != BatchFault::none || !base_is_known_ || log_->may_have_gaps()) return fault;
  const auto base = base::load_be<Offset>(rest.data() + format::base_offset_at);
  return base == lowest_base_ ? BatchFault::none : BatchFault::wrong_offset;
}

// Whether a batch that claims to hold `offset` behind its first record may do so. Its checksum is not
// computed on the way: a flipped count would stand before everything behind it.
bool FetchCursor::is_believable_at(Offset offset) const noexcept {
  const auto header = format::read_batch_header(pin_->log.data() + position_);
  if (header.base_offset >= offset || header.last_offset() < offset) return true;
  const bool counts_all = log_->may_have_gaps() || header.record_count == header.last_offset_delta + 1;
  return counts_all && header.last_offset() < segment_->end_offset();
}

Offset FetchCursor::base_at_position() const noexcept {
  return base::load_be<Offset>(pin_->log.data() + position_ + format::base_offset_at);
}

// A length that was flipped leads past the beginning of the next batch.
bool FetchCursor::is_sound_between(std::uint64_t from, std::uint64_t to) const noexcept {
  return format::crc_is_valid({pin_->log.data() + from, static_cast<std::size_t>(to - from)});
}

// From an index entry at or below the target to the batch that holds it: at most index.interval.bytes of
// headers. Damage on the way is passed over, so that an offset behind it can be reached.
Result<> FetchCursor::walk_to(Offset offset) {
  const std::uint64_t end = segment_->end_position();
  std::uint64_t before = position_;  // Of the batch whose length led here.
  while (position_ < end) {
    BatchFault fault = check_at_position(end);
    if (fault == BatchFault::none && !is_believable_at(offset)) fault = BatchFault::bad_count;
    // Also a gap in which the target would lie may be the trace of a wrong length.
    const bool is_doubtful = fault != BatchFault::none || base_at_position() > offset;
    if (is_doubtful && before < position_ && !is_sound_between(before, position_)) {
      fault = BatchFault::bad_crc;
      position_ = before;
    }
    if (fault != BatchFault::none) {
      const auto later = readable_after_fault();
      if (!later || later->base_offset > offset) {
        next_offset_ = offset;
        return corrupt(fault);
      }
      before = position_ = later->position;
      lowest_base_ = later->base_offset;
      continue;
    }
    const auto header = format::read_batch_header(pin_->log.data() + position_);
    if (header.last_offset() >= offset) return {};
    before = position_;
    position_ += header.size_bytes();
    lowest_base_ = header.next_offset();
    base_is_known_ = true;
  }
  return {};
}

Result<> FetchCursor::check_log_start() const {
  if (next_offset_ < log_->log_start_offset()) return out_of_range(*log_, next_offset_);
  return {};
}

// Compaction may have put one segment where several were, so the successor is the one that holds the next
// offset, not the next in line.
Result<bool> FetchCursor::enter_next_segment() {
  const auto list = log_->segments().load();
  if (list->empty()) return false;
  std::size_t index = list->find(next_offset_);
  if ((*list)[index] == segment_) ++index;
  if (index == list->size()) return false;
  // Not passed over in silence: the end of the segment before was cut off, or the whole file is gone.
  const Offset base = (*list)[index]->base_offset();
  if (base > next_offset_ && !log_->may_have_gaps()) return hole(base);
  if (auto entered = enter((*list)[index], next_offset_); !entered) return entered.error();
  return true;
}

Result<FetchCursor::Step> FetchCursor::peek(Offset bound, bool check_crc, FetchedBatch& out) {
  SERIATIM_ASSERT(positioned_);
  if (auto checked = check_log_start(); !checked) return checked.error();
  while (next_offset_ < bound) {
    // Sealed is stored before the successor is published: seen first, the end position is final.
    const bool sealed = segment_->is_sealed();
    const std::uint64_t end = segment_->end_position();
    if (position_ >= end) {
      if (!sealed) {
        if (is_cut_off()) return cut_off();
        return Step::end;
      }
      auto moved = enter_next_segment();
      if (!moved) return moved.error();
      if (!*moved) return Step::end;
      continue;
    }
    const BatchFault fault = check_at_position(end);
    if (fault != BatchFault::none) return corrupt(fault);
    const std::byte* at = pin_->log.data() + position_;
    out.header = format::read_batch_header(at);
    if (out.header.base_offset >= bound) return Step::end;
    out.bytes = {at, out.header.size_bytes()};
    if (check_crc && !format::crc_is_valid(out.bytes)) return corrupt(BatchFault::bad_crc);
    out.position = position_;
    out.pin = &pin_;
    out.segment = &segment_;
    if (out.header.last_offset() >= next_offset_) return Step::batch;
    position_ +=
        out.bytes
            .size();  // Wholly below the position: only where a seek ended in a hole that compaction left.
    lowest_base_ = out.header.next_offset();
    base_is_known_ = true;
  }
  return Step::end;
}

void FetchCursor::advance(const FetchedBatch& batch) noexcept {
  position_ = batch.position + batch.bytes.size();
  next_offset_ = batch.header.next_offset();
  lowest_base_ = next_offset_;
  base_is_known_ = true;
}

// Neither the index nor what lies behind damage is believed unasked: a sound batch says where it ends.
std::optional<FetchCursor::Resumption> FetchCursor::readable_after_fault() const {
  const std::uint64_t end = segment_->end_position();
  segment::MappedLogBytes bytes({pin_->log.data(), static_cast<std::size_t>(end)});
  const auto found = segment::find_sound_batch(bytes, {.fault_position = position_,
                                                       .end = end,
                                                       .lowest_base = lowest_base_,
                                                       .offsets_end = next_segment_base()});
  if (!found || !*found) return std::nullopt;
  return Resumption{(*found)->position, (*found)->header.base_offset};
}

Offset FetchCursor::next_segment_base() const {
  const auto list = log_->segments().load();
  for (const auto& candidate : *list) {
    if (candidate->base_offset() > segment_->base_offset()) return candidate->base_offset();
  }
  return std::numeric_limits<Offset>::max();
}

// Whether the segment is known to have held more than its file does. The position is stored before the offset
// that promises it.
bool FetchCursor::is_cut_off() const noexcept {
  return next_offset_ < segment_->end_offset() && position_ >= segment_->end_position();
}

Error FetchCursor::cut_off() const {
  log_->counters().corrupt_batches.add();
  const std::string resume = std::to_string(segment_->end_offset());
  return {Errc::corrupt_record,
          segment_->log_path() + " ends at position " + std::to_string(position_) + ", offset " +
              std::to_string(next_offset_) + " of " + place_of(*log_) + ", but records up to offset " +
              resume +
              " were on stable storage: they are missing. Restore the file from a copy, or seek to offset " +
              resume + " to go on without them; `seriatim verify` shows the whole extent"};
}

Error FetchCursor::hole(Offset resume) const {
  log_->counters().corrupt_batches.add();
  return {Errc::corrupt_record,
          segment_->log_path() + " ends at position " + std::to_string(position_) + ", offset " +
              std::to_string(next_offset_) + " of " + place_of(*log_) +
              ", but the next segment begins with offset " + std::to_string(resume) +
              ": the records between are missing. Restore the file from a copy, or seek to offset " +
              std::to_string(resume) + " to go on without them; `seriatim verify` shows the whole extent"};
}

Error FetchCursor::corrupt(BatchFault fault) const {
  log_->counters().corrupt_batches.add();
  std::optional<Offset> resume;
  if (const auto later = readable_after_fault()) {
    resume = later->base_offset;
  } else if (const Offset base = next_segment_base(); base != std::numeric_limits<Offset>::max()) {
    resume = base;
  }
  return {Errc::corrupt_record,
          segment_->log_path() + " at position " + std::to_string(position_) + ", offset " +
              std::to_string(next_offset_) + " of " + place_of(*log_) + ": " +
              std::string(format::describe(fault)) + "; " +
              (resume ? "records are readable again from offset " + std::to_string(*resume) +
                            ": seek there to go on"
                      : std::string("nothing behind it is readable: seek to the end to go on")) +
              ", and run `seriatim verify` to see the whole extent"};
}

}  // namespace seriatim::partition
