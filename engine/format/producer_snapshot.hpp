// The `.snapshot` file: what is known of every producer of a partition, up to but excluding the offset in the
// file's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

struct ProducerSnapshotEntry {
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  Sequence last_sequence = -1;     ///< -1 when only a marker is known.
  Offset last_offset = -1;         ///< The same.
  std::int32_t offset_delta = 0;   ///< Of the last batch: last offset - first offset.
  std::int64_t timestamp_ms = -1;  ///< Last activity; a marker counts.
  std::int32_t coordinator_epoch = -1;
  Offset open_transaction_first_offset = -1;  ///< -1: no transaction is open.
  bool operator==(const ProducerSnapshotEntry&) const = default;
};

inline constexpr std::size_t producer_snapshot_header_bytes = 10;
inline constexpr std::size_t producer_snapshot_entry_bytes = 46;

/// The whole file, entries in the order given.
std::vector<std::byte> encode_producer_snapshot(std::span<const ProducerSnapshotEntry> entries);

/// Reads a whole file.
///
/// Errors (the message names neither file nor partition: the caller adds them):
///   - unsupported_version: written by a newer version.
///   - corrupt_metadata:    length, checksum or a field is wrong. The file can be made again from the log.
Result<std::vector<ProducerSnapshotEntry>> parse_producer_snapshot(base::ByteSpan file);

}  // namespace seriatim::format
