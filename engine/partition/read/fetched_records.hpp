// From a fetched batch to its records: decompression with a bound, and errors that say where.
#pragma once

#include <cstddef>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch/record_cursor.hpp"
#include "partition/read/fetch_cursor.hpp"

namespace seriatim::partition {

/// The size to which the records of one batch may decompress. A kilobyte of zstd can claim terabytes; the
/// bound is arbitrary, a thousand times the default of max.message.bytes, and any length below it fits the 32
/// bits of a record view.
inline constexpr std::size_t section_bytes_max = std::size_t{1} << 30;

/// The bytes that a RecordCursor walks. Uncompressed: in place, at no cost; else in `scratch`, which is
/// cleared first.
/// Errors: corrupt_record, unsupported_codec, io_error (no memory), with file, position and the offset to go
/// on from.
Result<base::ByteSpan> record_section(const PartitionLog& log, const FetchedBatch& batch,
                                      std::vector<std::byte>& scratch);

/// A cursor over a section that record_section returned.
inline format::RecordCursor records_of(const format::BatchHeader& header, base::ByteSpan section) noexcept {
  return {section, header.record_count, header.last_offset_delta};
}

/// The records of `batch` stop making sense at `at`, although its checksum fits.
Error malformed_records(const PartitionLog& log, const FetchedBatch& batch, Offset at);

}  // namespace seriatim::partition
