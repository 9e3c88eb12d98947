// The treatment of a batch that recovery does not accept: damage, which is kept and passed over, or the torn
// end of the log, which is cut.
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "format/batch/batch_check.hpp"
#include "format/batch_header.hpp"
#include "os/vfs.hpp"
#include "segment/recovery/segment_recovery.hpp"

namespace seriatim::segment {

struct BadBatch {
  std::uint64_t position = 0;
  format::BatchFault fault = format::BatchFault::none;
  Offset expected_offset = 0;  ///< Of its first record.
  std::uint64_t log_end = 0;   ///< Bytes that are there.
};

/// Where a walk goes on.
struct GoOn {
  std::uint64_t position = 0;
  Offset lowest_offset = 0;
  bool is_exact = false;  ///< The next batch has that offset; else some may be lost with the bad one.
};

/// How the log goes on behind a bad batch; nothing: it ends before it.
///
/// A whole batch is never a torn tail (INV-12), but for one whose base offset or magic, which no checksum
/// covers, a power cut may have torn. Damage below the durable position is passed over, and damage with sound
/// batches behind where no power was cut: a process that dies leaves what it stored, in order. After a power
/// cut holes with sound batches behind are usual, and none of those was acknowledged as durable.
/// Errors: those of reading.
Result<std::optional<GoOn>> pass_over(os::File& log, const RecoveryRequest& request, const BadBatch& bad);

/// Whether a sound batch above the expected offset stands behind a gap. A base offset has no checksum: the
/// batch behind shows whether this one was flipped.
Result<bool> is_gap(os::File& log, const RecoveryRequest& request, std::uint64_t position,
                    const format::BatchHeader& header);

/// Whether the offsets that a batch claims fit its segment: below those of the segment behind it, below the
/// durable offset where it lies below the durable position, within the span of an index. No checksum covers a
/// base offset, and none was computed of what is durable: more than that was flipped, also where no batch
/// stands before or behind it.
bool offsets_are_possible(const RecoveryRequest& request, std::uint64_t position,
                          const format::BatchHeader& header) noexcept;

}  // namespace seriatim::segment
