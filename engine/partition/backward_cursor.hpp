// Walks the batches of a partition from an offset down to the log start. Batches are only linked forwards, so it steps back one index entry
// at a time and notes where the batches behind that entry begin.
#pragma once

#include <cstdint>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "partition/fetch_cursor.hpp"

namespace seriatim::partition {

/// One thread at a time.
class BackwardCursor {
 public:
  explicit BackwardCursor(PartitionLogPtr log) noexcept : walker_(std::move(log)) {}

  /// Stands behind the last batch that begins below `before`.
  /// Errors: offset_out_of_range (below the log start, above the high watermark), corrupt_record, those of mapping a segment.
  Result<> seek(Offset before);

  /// Reads the batch before the cursor and moves in front of it; `end` at the log start. The first and the last batch may reach beyond
  /// the range asked for.
  /// Errors: corrupt_record; offset_out_of_range if retention has passed the cursor. The cursor is of no use then.
  Result<FetchCursor::Step> previous(FetchedBatch& out);

 private:
  Result<bool> load_block();
  Result<Offset> block_start() const;

  FetchCursor walker_;
  Offset bound_ = 0;             // everything at or above was returned, or is none of ours
  std::vector<Offset> starts_;   // base offsets of batches below bound_ that were found and not returned
};

}  // namespace seriatim::partition
