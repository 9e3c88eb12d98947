// Walks the batches of a partition from an offset down to the log start. Batches are only linked forwards, so
// it steps back one index entry at a time and notes where the batches behind that entry begin.
#pragma once

#include <cstdint>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "partition/read/fetch_cursor.hpp"

namespace seriatim::partition {

/// One thread at a time.
class BackwardCursor {
 public:
  explicit BackwardCursor(PartitionLogPtr log) noexcept : walker_(std::move(log)) {}

  /// Stands behind the last batch that begins below `before`.
  /// Errors: offset_out_of_range: below the log start or above the high watermark.
  Result<> seek(Offset before);

  /// Reads the batch before the cursor, structure and checksum checked, and moves in front of it; `end` at
  /// the log start. The first and the last batch may reach beyond the range asked for. `out` is valid until
  /// the next call.
  /// Errors: corrupt_record, with what is readable from where; offset_out_of_range if retention has passed
  /// the cursor; those of mapping a segment.
  Result<FetchCursor::Step> previous(FetchedBatch& out);

 private:
  Result<> load_block();
  Result<Offset> block_start() const;

  FetchCursor walker_;
  segment::SegmentPtr segment_{};
  segment::SegmentPin pin_{};
  Offset bound_ = 0;  // every batch that begins here or above was returned, or is not asked for
  std::vector<std::uint64_t> positions_{};  // in segment_, ascending: found and not yet returned
};

}  // namespace seriatim::partition
