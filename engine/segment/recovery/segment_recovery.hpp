// Finds out what a segment holds after a stop, clean or not, and makes its indexes right. Reads everything
// before it writes anything; running it again changes nothing (INV-5).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "format/batch/batch_check.hpp"
#include "format/batch_header.hpp"
#include "segment/files/segment_files.hpp"
#include "segment/segment_end.hpp"

namespace seriatim::segment {

/// How the last writer ended, as far as that is known: it says what a bad batch behind the durable position
/// can be.
enum class LastStop : std::uint8_t {
  power_cut,  ///< Or nothing is known: any sector that was not synced may be old or new.
  kill,       ///< The process died within this boot: what it stored is there, in order.
  losses,     ///< Parts of what was on stable storage are gone: whatever is sound is kept, wherever it lies.
  clean,  ///< It closed, and the files are not those that it left: nothing in them is a torn tail of ours.
};

/// The segment to recover, and the facts that are known beforehand.
struct RecoveryRequest {
  std::string directory{};
  Offset base_offset = 0;
  /// Bytes below are known to be on stable storage and in order: a fault below is corruption, above a torn
  /// tail.
  std::uint64_t durable_position = 0;
  Offset durable_offset = 0;  ///< The lowest base offset of a batch at `durable_position`.
  SegmentLimits limits{};
  /// Another segment follows: the files have their exact length and the time index its closing entry.
  bool is_sealed = false;
  /// Compaction may have taken batches out. Without it, a base offset above the expected one, behind the
  /// durable position, is a fault unless the batch behind it goes on from there: base offsets are not covered
  /// by the checksum.
  bool may_have_gaps = true;
  /// The segment was synced after it was sealed or trimmed (`Segment::sync` covers the indexes then): the
  /// ends of the indexes are believed. Without it the index files are read whole, which thousands of old
  /// segments cannot afford.
  bool indexes_synced = false;
  LastStop stop = LastStop::power_cut;
  /// Batches end at or below: the base offset of the segment behind this one.
  Offset offsets_end = std::numeric_limits<Offset>::max();
  /// Asked about every control batch behind the durable position; false: the log ends before it. Empty: all
  /// are right.
  std::function<bool(const format::BatchHeader& header, base::ByteSpan batch)> accepts_control{};
};

/// The result of the scan. Nothing has been changed on disk yet.
struct RecoveredSegment {
  SegmentState state{};
  std::uint64_t file_bytes = 0;  ///< Length of the log file as found.
  format::BatchFault fault =
      format::BatchFault::none;  ///< Why the scan stopped: end_of_log and none are the normal ends.
  bool indexes_need_rebuild = false;
  /// The first damage that is no torn tail (see bad_batch.hpp): where and what. The scan went on behind it,
  /// so `state` covers the damaged range too.
  format::BatchFault contained_fault = format::BatchFault::none;
  std::uint64_t contained_fault_position = 0;
  bool has_gaps = false;  ///< Offsets are missing between sound batches, as compaction leaves them.
};

/// Scans a segment from its durable position to where the log ends: to the first bad batch that is no damage
/// to be passed over. Reads only. The scanned range is dropped from the page cache first: it may hold what a
/// failed sync never wrote. A file that ends below the durable position is scanned as far as it goes:
/// `state.end_position` says so.
/// Errors: not_found, io_error and the like; never for bad bytes.
/// Cost: with nothing above the durable position, a read of the indexes and of the batches behind their last
/// entries.
Result<RecoveredSegment> scan_segment(const SegmentContext& context, const RecoveryRequest& request);

/// Erases everything behind `end_position` and syncs: a valid batch left beyond a hole would otherwise come
/// back later with a good checksum. To be called after every unclean stop, also when nothing is to be cut: an
/// earlier recovery may have died between its cut and its sync.
/// Errors: storage_failed, final · not_found, io_error; the same call may be repeated.
Result<> erase_tail(const SegmentContext& context, const std::string& log_path, std::uint64_t end_position);

/// Writes both index files from the log [0, state.end_position), byte for byte as Kafka's own recovery does,
/// starting from the entries `state` says are right; updates the entry counts of `state`. Behind damage they
/// go on with the next sound batch. Files are written beside and renamed.
/// Errors: not_found (no log) · storage_full, io_error and the like: each file is the old or the new one.
Result<> rebuild_indexes(const SegmentContext& context, const RecoveryRequest& request, SegmentState& state);

}  // namespace seriatim::segment
