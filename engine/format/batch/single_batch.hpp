// A batch of one uncompressed record, framed straight into the caller's bytes: the hot path of appending.
#pragma once

#include <cstddef>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "format/batch/frame.hpp"

namespace seriatim::format {

/// Checks what framing cannot store.
/// @return single_batch_bytes(record).
/// Errors: invalid_timestamp: below -1. record_too_large: the batch would not fit Kafka's 31-bit length.
Result<std::size_t> check_record(const RecordInput& record);

/// Exact size of the batch that frame_single makes of `record`. Any thread.
std::size_t single_batch_bytes(const RecordInput& record) noexcept;

/// Frames `record`, which passed check_record, as a whole batch at the front of `out`.
///
/// Base offset and leader epoch are 0. `options.codec` and `options.level` are not looked at: the batch is
/// not compressed. `out` holds at least single_batch_bytes(record) bytes and does not overlap the record.
/// @param framed  a new one, or that of an earlier call. Not returned: handed from call to call it would be
/// read wider than it was just written, and the processor waits for that, a twentieth of an append.
void frame_single(const RecordInput& record, const FrameOptions& options, base::MutableByteSpan out,
                  FramedBatch& framed) noexcept;

/// As frame_single, but leaves the bytes of the value and the CRC to the caller, who writes the value where
/// the returned pointer says and then calls seal_batch on the batch. It is not published before the log that
/// it was placed in says so: its magic is unpublished_magic. `record.value` only gives the size: the
/// bytes it points at are not read.
std::byte* open_single(const RecordInput& record, const FrameOptions& options,
                       base::MutableByteSpan out) noexcept;

}  // namespace seriatim::format
