// The 61 bytes before the records of a Kafka record batch (magic 2), field by field. All integers are
// big-endian. Base offset, length, leader epoch and magic are outside the CRC, so that the log can stamp
// them in place; what guards those instead is in batch_check.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seriatim::format {

inline constexpr std::size_t base_offset_at = 0;         // int64
inline constexpr std::size_t length_at = 8;              // int32, bytes after this field
inline constexpr std::size_t leader_epoch_at = 12;       // int32
inline constexpr std::size_t magic_at = 16;              // int8
inline constexpr std::size_t crc_at = 17;                // uint32, CRC-32C from attributes to the end
inline constexpr std::size_t attributes_at = 21;         // int16
inline constexpr std::size_t last_offset_delta_at = 23;  // int32
inline constexpr std::size_t base_timestamp_at = 27;     // int64, ms
inline constexpr std::size_t max_timestamp_at = 35;      // int64, ms
inline constexpr std::size_t producer_id_at = 43;        // int64
inline constexpr std::size_t producer_epoch_at = 51;     // int16
inline constexpr std::size_t base_sequence_at = 53;      // int32
inline constexpr std::size_t record_count_at = 57;       // int32
inline constexpr std::size_t records_at = 61;

/// Size of the header, and of the smallest batch: one without records.
inline constexpr std::size_t header_bytes = records_at;
/// Base offset and length: what the length field does not count.
inline constexpr std::size_t log_overhead = length_at + sizeof(std::int32_t);
/// The smallest legal value of the length field.
inline constexpr std::int32_t length_min = static_cast<std::int32_t>(header_bytes - log_overhead);
/// Where the bytes covered by the CRC begin.
inline constexpr std::size_t crc_covers_from = attributes_at;

/// The largest batch: a segment, and with it every position in one, is limited to 31 bits.
inline constexpr std::size_t batch_bytes_max = 0x7FFF'FFFF;

/// The only format version seriatim writes and reads.
inline constexpr std::int8_t batch_magic = 2;
/// Stands there while a batch is being placed. The version is the last byte of a batch that is stored: a
/// reader of another process sees the whole batch or none, and none that is taken back. It is one byte,
/// because a batch may begin at any address, where a wider store may be seen by halves.
inline constexpr std::int8_t unpublished_magic = 0;

inline constexpr std::int16_t codec_mask = 0x07;
inline constexpr std::int16_t log_append_time_bit = 0x08;
inline constexpr std::int16_t transactional_bit = 0x10;
inline constexpr std::int16_t control_bit = 0x20;
inline constexpr std::int16_t delete_horizon_bit = 0x40;

static_assert(length_at == base_offset_at + sizeof(std::int64_t));
static_assert(leader_epoch_at == log_overhead);
static_assert(magic_at == leader_epoch_at + sizeof(std::int32_t));
static_assert(crc_at == magic_at + sizeof(std::int8_t));
static_assert(attributes_at == crc_at + sizeof(std::uint32_t));
static_assert(last_offset_delta_at == attributes_at + sizeof(std::int16_t));
static_assert(base_timestamp_at == last_offset_delta_at + sizeof(std::int32_t));
static_assert(max_timestamp_at == base_timestamp_at + sizeof(std::int64_t));
static_assert(producer_id_at == max_timestamp_at + sizeof(std::int64_t));
static_assert(producer_epoch_at == producer_id_at + sizeof(std::int64_t));
static_assert(base_sequence_at == producer_epoch_at + sizeof(std::int16_t));
static_assert(record_count_at == base_sequence_at + sizeof(std::int32_t));
static_assert(records_at == record_count_at + sizeof(std::int32_t));
static_assert(header_bytes == 61 && log_overhead == 12 && length_min == 49);

}  // namespace seriatim::format
