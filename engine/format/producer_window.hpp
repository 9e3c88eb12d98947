// The `.producers` file: of every producer the last batches of a partition, by which a retry is recognised,
// up to but excluding the offset in the file's name. It stands beside the `.snapshot` of that offset, which
// is Kafka's and has only the last batch of each. docs/data_directory.md has the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

/// A batch that is in the log, as far as a retry is compared with it.
struct StoredBatch {
  Sequence first_sequence = -1;
  Sequence last_sequence = -1;
  Offset base_offset = -1;
  Offset last_offset = -1;
  std::int64_t timestamp_ms = -1;
  bool operator==(const StoredBatch&) const = default;
};

struct ProducerWindowEntry {
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  StoredBatch batch{};
  bool operator==(const ProducerWindowEntry&) const = default;
};

inline constexpr std::size_t producer_window_header_bytes = 20;
inline constexpr std::size_t producer_window_entry_bytes = 42;

/// The whole file, entries in the order given: of each producer the oldest first.
std::vector<std::byte> encode_producer_window(std::span<const ProducerWindowEntry> entries);

/// Reads a whole file.
///
/// Errors (the message names neither file nor partition: the caller adds them):
///   - unsupported_version: written by a newer version.
///   - corrupt_metadata:    length, checksum or a field is wrong. Without the file, of each producer the last
///     batch is known.
Result<std::vector<ProducerWindowEntry>> parse_producer_window(base::ByteSpan file);

}  // namespace seriatim::format
