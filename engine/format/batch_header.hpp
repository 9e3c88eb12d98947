// A batch header as values. Decoding checks nothing: batch_check.hpp says whether the values may be
// believed, and only then do the functions below that compute with them mean anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::format {

/// The values are those of the attribute bits.
enum class Codec : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

/// Kafka's configuration word for a codec ("none", "gzip", ...); "unknown" for the values 5 to 7.
std::string_view name(Codec codec) noexcept;

inline constexpr std::int64_t no_timestamp_ms = -1;
inline constexpr ProducerId no_producer_id = -1;
inline constexpr ProducerEpoch no_producer_epoch = -1;
inline constexpr Sequence no_sequence = -1;

/// The sequence `by` records after `first`. Sequences wrap from 2'147'483'647 to 0.
constexpr Sequence advance_sequence(Sequence first, std::int32_t by) noexcept {
  const std::int64_t sum = std::int64_t{first} + by;
  const std::int64_t span = std::int64_t{std::numeric_limits<Sequence>::max()} + 1;
  return static_cast<Sequence>(sum >= span ? sum - span : sum);
}

struct BatchHeader {
  Offset base_offset = 0;
  std::int32_t length = length_min;  ///< Bytes after the length field; size_bytes() is the whole batch.
  std::int32_t leader_epoch = 0;
  std::int8_t magic = batch_magic;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;  ///< Unchanged by compaction, so it may exceed record_count - 1.
  std::int64_t base_timestamp_ms = no_timestamp_ms;
  std::int64_t max_timestamp_ms = no_timestamp_ms;
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  Sequence base_sequence = no_sequence;
  std::int32_t record_count = 0;

  bool operator==(const BatchHeader&) const = default;

  /// Bytes of the batch in the file.
  std::size_t size_bytes() const noexcept { return static_cast<std::size_t>(length) + log_overhead; }
  Offset last_offset() const noexcept { return base_offset + last_offset_delta; }
  /// The offset of the batch that follows, if none was removed in between.
  Offset next_offset() const noexcept { return last_offset() + 1; }
  /// The sequence of the record at last_offset(); no_sequence if the batch carries none.
  Sequence last_sequence() const noexcept {
    return base_sequence < 0 ? no_sequence : advance_sequence(base_sequence, last_offset_delta);
  }

  Codec codec() const noexcept { return static_cast<Codec>(attributes & codec_mask); }
  bool has_producer() const noexcept { return producer_id != no_producer_id; }
  bool is_control() const noexcept { return (attributes & control_bit) != 0; }
  bool is_transactional() const noexcept { return (attributes & transactional_bit) != 0; }
  bool uses_log_append_time() const noexcept { return (attributes & log_append_time_bit) != 0; }
  /// base_timestamp_ms is then the time from which compaction may drop tombstones and markers.
  bool has_delete_horizon() const noexcept { return (attributes & delete_horizon_bit) != 0; }

  /// The timestamp of a record of this batch: under log append time all have the batch's.
  std::int64_t record_timestamp_ms(std::int64_t timestamp_delta) const noexcept {
    if (uses_log_append_time()) return max_timestamp_ms;
    // Unsigned, because a delta from a disk may be anything and must wrap instead of being undefined.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_ms) +
                                     static_cast<std::uint64_t>(timestamp_delta));
  }
};

/// Reads the header at `at`, where the caller has checked that 61 bytes are.
inline BatchHeader read_batch_header(const std::byte* at) noexcept {
  using base::load_be;
  BatchHeader header;
  header.base_offset = load_be<std::int64_t>(at + base_offset_at);
  header.length = load_be<std::int32_t>(at + length_at);
  header.leader_epoch = load_be<std::int32_t>(at + leader_epoch_at);
  header.magic = load_be<std::int8_t>(at + magic_at);
  header.crc = load_be<std::uint32_t>(at + crc_at);
  header.attributes = load_be<std::int16_t>(at + attributes_at);
  header.last_offset_delta = load_be<std::int32_t>(at + last_offset_delta_at);
  header.base_timestamp_ms = load_be<std::int64_t>(at + base_timestamp_at);
  header.max_timestamp_ms = load_be<std::int64_t>(at + max_timestamp_at);
  header.producer_id = load_be<std::int64_t>(at + producer_id_at);
  header.producer_epoch = load_be<std::int16_t>(at + producer_epoch_at);
  header.base_sequence = load_be<std::int32_t>(at + base_sequence_at);
  header.record_count = load_be<std::int32_t>(at + record_count_at);
  return header;
}

/// Writes the 61 bytes of `header` at `to`, `header.crc` as it is: write_sealed_header computes it.
inline void write_batch_header(std::byte* to, const BatchHeader& header) noexcept {
  using base::store_be;
  store_be(to + base_offset_at, header.base_offset);
  store_be(to + length_at, header.length);
  store_be(to + leader_epoch_at, header.leader_epoch);
  store_be(to + magic_at, header.magic);
  store_be(to + crc_at, header.crc);
  store_be(to + attributes_at, header.attributes);
  store_be(to + last_offset_delta_at, header.last_offset_delta);
  store_be(to + base_timestamp_at, header.base_timestamp_ms);
  store_be(to + max_timestamp_at, header.max_timestamp_ms);
  store_be(to + producer_id_at, header.producer_id);
  store_be(to + producer_epoch_at, header.producer_epoch);
  store_be(to + base_sequence_at, header.base_sequence);
  store_be(to + record_count_at, header.record_count);
}

/// Gives the batch its place in the log. The CRC stays right: it does not cover the base offset.
inline void stamp_base_offset(std::byte* batch, Offset base_offset) noexcept {
  base::store_be(batch + base_offset_at, base_offset);
}

/// Computes the CRC of a whole batch (header and records) and stores it in its header.
void seal_batch(base::MutableByteSpan batch) noexcept;

/// Writes `header` before the records that are already in place, with the CRC of both; `header.crc` is not
/// read.
/// @return that CRC.
std::uint32_t write_sealed_header(base::MutableByteSpan batch, const BatchHeader& header) noexcept;

/// The one record of a batch, in place behind the header, in three pieces.
struct RecordPieces {
  base::ByteSpan before_value{};
  base::ByteSpan value{};  ///< May be what was copied into place, which can be read sooner.
  base::ByteSpan after_value{};
};
/// The same for a batch of one record.
std::uint32_t write_sealed_header(std::byte* to, const BatchHeader& header,
                                  const RecordPieces& record) noexcept;

}  // namespace seriatim::format
