// Finds out what a segment holds after a stop, clean or not, and makes its indexes right. Reads everything before it writes anything;
// running it again changes nothing (INV-5).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "format/batch_check.hpp"
#include "segment/segment.hpp"
#include "segment/segment_files.hpp"

namespace seriatim::segment {

/// What to recover, and what is known beforehand.
struct RecoveryRequest {
  std::string directory{};
  Offset base_offset = 0;
  /// Bytes below are known to be on stable storage and in order: not rescanned; a fault below them is corruption, above a torn tail.
  std::uint64_t durable_position = 0;
  Offset durable_offset = 0;
  SegmentLimits limits{};
};

/// What was found. Nothing has been changed on disk yet.
struct RecoveredSegment {
  SegmentState state{};
  std::uint64_t file_bytes = 0;               ///< Length of the log file as found.
  format::BatchFault fault = format::BatchFault::none;  ///< Why the scan stopped: end_of_log and none are the normal ends.
  bool indexes_need_rebuild = false;
};

/// Called for every batch from `RecoveryRequest::durable_position` on, in order, with the whole batch: producer state is rebuilt from it.
using BatchVisitor = std::function<void(const format::BatchHeader&, base::ByteSpan)>;

/// Scans a segment from its durable position to the first invalid byte. Reads only. After an unclean stop the range is dropped from the page cache
/// first: it may hold what a failed sync never wrote.
/// Errors: io_error and the like; never for bad bytes.
Result<RecoveredSegment> scan_segment(const SegmentContext& context, const RecoveryRequest& request, const BatchVisitor& visit);

/// Erases everything behind `state.end_position` (zeroes it to the end of the allocation, syncs, then truncates): a valid batch left beyond a hole would
/// otherwise come back later with a good checksum.
Result<> erase_tail(const SegmentContext& context, const std::string& log_path, std::uint64_t end_position);

/// Writes both index files anew from the log [0, state.end_position), as Kafka's own recovery does, byte for byte; updates the entry counts of `state`.
/// Files are written beside and renamed.
Result<> rebuild_indexes(const SegmentContext& context, const RecoveryRequest& request, SegmentState& state, bool closing_time_entry);

}  // namespace seriatim::segment
