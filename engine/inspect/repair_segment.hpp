// Makes one segment whole again, as far as its bytes go: its indexes, or the log itself without what cannot
// be read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "segment/files/segment_files.hpp"

namespace seriatim::inspect {

struct SegmentToRepair {
  std::string directory{};  ///< Of the partition. Nobody has it open.
  Offset base_offset = 0;
  Offset next_base = -1;  ///< Of the segment behind it; -1: it is the last.
  bool may_have_gaps = false;
  std::uint64_t index_interval_bytes = 4096;
};

/// Both ends included.
struct LostOffsets {
  Offset first = 0;
  Offset last = 0;
};

/// The offsets of which no batch can be read, up to where the next segment begins. Reads only.
/// Errors: as the file system.
Result<std::vector<LostOffsets>> find_lost_offsets(const segment::SegmentContext& context,
                                                   const SegmentToRepair& segment);

/// Writes the indexes anew from the batches that can be read, that of aborted transactions only if there are
/// transactions. Each file is the old or the new one at any moment.
/// Errors: as the file system.
Result<> rebuild_segment_indexes(const segment::SegmentContext& context, const SegmentToRepair& segment);

/// Copies the log to `<name>.damaged`, then replaces it and its indexes: every batch that can be read stays
/// as it is, and one batch without records takes the place of each range of lost offsets, as after a
/// compaction. A crash leaves the old segment or the new one, which the next open puts in its place; the copy
/// is there in both cases.
/// @return the path of the copy.
/// Errors: invalid_state: it is the last segment, or the range is wider than a segment can express; nothing
/// was changed · as the file system.
Result<std::string> rewrite_segment(const segment::SegmentContext& context, const SegmentToRepair& segment);

}  // namespace seriatim::inspect
