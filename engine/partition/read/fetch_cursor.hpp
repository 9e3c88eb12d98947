// Where a sequential reader stands in a partition. It keeps its segment pinned and its byte position, so that
// going on looks nothing up: no lock, no allocation, no system call.
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch/batch_check.hpp"
#include "format/batch_header.hpp"
#include "partition/partition_log.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::partition {

/// A whole batch where it lies.
struct FetchedBatch {
  format::BatchHeader header{};
  base::ByteSpan bytes{};  ///< Valid while the pin is held.
  std::uint64_t position = 0;
  /// The cursor's own pin and segment: copy them to keep the bytes beyond the cursor's next step.
  const segment::SegmentPin* pin = nullptr;
  const segment::SegmentPtr* segment = nullptr;
};

/// One thread at a time.
class FetchCursor {
 public:
  explicit FetchCursor(PartitionLogPtr log) noexcept : log_(std::move(log)) {}

  /// Stands before the batch that holds `offset`, or the next one if compaction removed it.
  /// Errors: offset_out_of_range (below the log start or above the high watermark; the cursor is unpositioned
  /// then), corrupt_record (the offset lies in damage), and those of mapping a segment.
  Result<> seek(Offset offset);
  bool is_positioned() const noexcept { return positioned_; }
  void reset() noexcept;

  enum class Step : std::uint8_t { batch, end };
  /// Reads the batch at the cursor, checked (structure always, CRC if asked), and does not move. `end`:
  /// nothing below `bound`.
  /// Errors: corrupt_record with file, position, and the offset to go on from (also where records are missing
  /// between two segments);
  /// offset_out_of_range if the log start has passed the cursor.
  Result<Step> peek(Offset bound, bool check_crc, FetchedBatch& out);
  /// Moves behind the batch that peek returned.
  void advance(const FetchedBatch& batch) noexcept;

  /// First offset not yet passed.
  Offset next_offset() const noexcept { return next_offset_; }
  std::uint64_t position() const noexcept { return position_; }
  const segment::SegmentPin& pin() const noexcept { return pin_; }
  const segment::SegmentPtr& segment() const noexcept { return segment_; }
  PartitionLog& log() const noexcept { return *log_; }
  const PartitionLogPtr& log_ptr() const noexcept { return log_; }

 private:
  Result<> enter(segment::SegmentPtr segment, Offset offset);
  Result<> walk_to(Offset offset);
  Result<bool> enter_next_segment();
  Result<> check_log_start() const;
  bool is_believable_at(Offset offset) const noexcept;
  Offset base_at_position() const noexcept;
  bool is_sound_between(std::uint64_t from, std::uint64_t to) const noexcept;
  format::BatchFault check_at_position(std::uint64_t end) const noexcept;
  struct Resumption {
    std::uint64_t position = 0;
    Offset base_offset = 0;
  };
  std::optional<Resumption> readable_after_fault() const;
  Offset next_segment_base() const;
  Error corrupt(format::BatchFault fault) const;
  Error hole(Offset resume) const;
  bool is_cut_off() const noexcept;
  Error cut_off() const;

  PartitionLogPtr log_;
  segment::SegmentPtr segment_{};
  segment::SegmentPin pin_{};
  std::uint64_t position_ = 0;
  Offset next_offset_ = 0;
  // The base offset that the batch at position_ must at least have; exactly that, where nothing was ever
  // compacted and the batch before it is known.
  Offset lowest_base_ = 0;
  bool base_is_known_ = false;
  bool positioned_ = false;
};

/// The offsets of a log in words: "it holds 3 to 7, and the next record gets 8".
std::string describe_offsets(const PartitionLog& log);
/// offset_out_of_range with the offsets that there are in its message.
Error out_of_range(const PartitionLog& log, Offset offset);

}  // namespace seriatim::partition
