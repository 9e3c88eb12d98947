// The remains of a batch after compaction, byte for byte what Kafka's cleaner writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <seriatim/result.hpp>

#include "format/batch/frame.hpp"
#include "format/batch/record_cursor.hpp"

namespace seriatim::format {

/// A record that stays. Its views point wherever the original was decoded.
struct KeptRecord {
  std::int32_t offset_delta = 0;  ///< As in the original: compaction moves no offset.
  std::int64_t timestamp_ms = no_timestamp_ms;
  BytesView key{};
  BytesView value{};
  base::ByteSpan headers{};  ///< As stored; copied as they are.
  std::int32_t header_count = 0;
};

/// `record` of the batch `original`, to be kept.
KeptRecord keep_record(const BatchHeader& original, const DecodedRecord& record) noexcept;

struct RebuildOptions {
  /// Time from which tombstones or the marker in this batch may go; sets the batch's delete horizon. Default:
  /// the horizon the original has, if it has one.
  std::optional<std::int64_t> delete_horizon_ms{};
  std::optional<int> level{};  ///< For the original's codec, which is kept.
};

/// One thread at a time; buffers are kept from batch to batch.
class BatchRebuilder {
 public:
  /// Makes the batch that holds `kept` in place of `original`.
  ///
  /// Base offset, last offset delta, leader epoch, producer id, epoch, sequence, codec and the attribute bits
  /// stay. The base timestamp becomes the first kept record's, or the delete horizon; the maximum that of the
  /// kept records (under log append time: stays). Without a kept record the result is the 61-byte remnant
  /// that keeps offsets and producer state: codec none, no horizon, base timestamp -1, maximum as before. The
  /// result points into this object and is valid until its next call.
  ///
  /// @param kept  in increasing order of offset delta, none beyond the original's last.
  /// Errors:
  ///   - invalid_argument:  `kept` is not in order, or reaches beyond the original.
  ///   - record_too_large:  the batch would exceed Kafka's 31-bit length.
  ///   - unsupported_codec, invalid_config: as compress().
  Result<FramedBatch> rebuild(const BatchHeader& original, std::span<const KeptRecord> kept,
                              const RebuildOptions& options);

 private:
  std::vector<std::byte> plain_;
  std::vector<std::byte> batch_;
};

}  // namespace seriatim::format
