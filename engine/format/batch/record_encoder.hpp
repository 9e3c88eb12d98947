// Writes one record: the counterpart of record_cursor.hpp, shared by everything that frames. Sizes come first
// and are exact, so that bytes are written once and in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/varint.hpp"

namespace seriatim::format {

/// The fields of a record but for its headers' bytes.
struct RecordFields {
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  BytesView key{};
  BytesView value{};
  std::size_t header_count = 0;
};

/// Bytes of a length or count as a varint. Right for every size_t, so that sums can be compared with a limit
/// before anything is narrowed.
constexpr std::size_t length_size(std::size_t length) noexcept {
  return varlong_size(static_cast<std::int64_t>(length));
}

/// Writes a length or count below 2^31.
inline std::byte* encode_length(std::byte* to, std::size_t length) noexcept {
  return detail::encode_groups(to, static_cast<std::uint32_t>(length) << 1);
}

inline std::size_t field_size(BytesView field) noexcept {
  return field.is_null() ? 1 : length_size(field.size()) + field.size();
}

inline std::byte* encode_field(std::byte* to, BytesView field) noexcept {
  if (field.is_null()) {
    *to = null_length;
    return to + 1;
  }
  to = encode_length(to, field.size());
  std::memcpy(to, field.data(), field.size());
  return to + field.size();
}

inline std::size_t headers_size(std::span<const HeaderView> headers) noexcept {
  std::size_t size = 0;
  for (const HeaderView& header : headers) {
    size += length_size(header.key.size()) + header.key.size() + field_size(header.value);
  }
  return size;
}

inline std::byte* encode_headers(std::byte* to, std::span<const HeaderView> headers) noexcept {
  for (const HeaderView& header : headers) {
    to = encode_field(to, BytesView(header.key));
    to = encode_field(to, header.value);
  }
  return to;
}

/// Bytes of the record after its length field. `headers_bytes` are those of all headers, without their count.
inline std::size_t body_size(const RecordFields& fields, std::size_t headers_bytes) noexcept {
  return 1 + varlong_size(fields.timestamp_delta) + varint_size(fields.offset_delta) +
         field_size(fields.key) + field_size(fields.value) + length_size(fields.header_count) + headers_bytes;
}

/// Whether `encode_small` may write the record: no headers, and every length and delta but the value's, the
/// record's and the offset's in one byte, those in two. Most records are.
inline bool is_small(const RecordFields& fields) noexcept {
  return fields.header_count == 0 && zigzag(fields.timestamp_delta) < 0x80U && fields.offset_delta < 0x2000 &&
         fields.value.size() < 0x1000 && fields.key.size() < 0x40;
}
inline constexpr std::size_t small_record_overhead_max = 2 + 1 + 1 + 2 + 1 + 2 + 1;

/// Writes a length or offset below 0x2000; may touch one byte more than it returns.
inline std::byte* encode_two_groups(std::byte* to, std::uint32_t length) noexcept {
  const std::uint32_t bits = length << 1;
  const bool has_two = bits >= 0x80U;
  const std::uint32_t two = (bits & 0x7FU) | 0x80U | (bits >> 7) << 8;
  base::store_le(to, static_cast<std::uint16_t>(has_two ? two : bits));
  return to + 1 + (has_two ? 1 : 0);
}

/// Writes a whole small record and returns the byte after it, without first asking for its size: about a
/// third of the instructions of the general way.
inline std::byte* encode_small(std::byte* to, const RecordFields& fields) noexcept {
  const std::size_t key_bytes = fields.key.size();
  const std::size_t value_bytes = fields.value.size();
  const bool long_value = value_bytes >= 0x40 && !fields.value.is_null();
  const std::size_t body_bytes = 1 + 1 + (fields.offset_delta >= 0x40 ? 2U : 1U) + 1 + key_bytes +
                                 (long_value ? 2U : 1U) + value_bytes + 1;
  to = encode_two_groups(to, static_cast<std::uint32_t>(body_bytes));
  *to++ = std::byte{0};  // attributes: none are defined
  *to++ = static_cast<std::byte>(zigzag(fields.timestamp_delta));
  to = encode_two_groups(to, static_cast<std::uint32_t>(fields.offset_delta));
  if (fields.key.is_null()) {
    *to++ = null_length;
  } else {
    *to++ = static_cast<std::byte>(key_bytes << 1);
    std::memcpy(to, fields.key.data(), key_bytes);
    to += key_bytes;
  }
  if (fields.value.is_null()) {
    *to++ = null_length;
  } else {
    to = encode_two_groups(to, static_cast<std::uint32_t>(value_bytes));
    std::memcpy(to, fields.value.data(), value_bytes);
    to += value_bytes;
  }
  *to = std::byte{0};  // no headers
  return to + 1;
}

/// Writes the record up to its value and the value's length, and returns where the value's bytes go.
inline std::byte* encode_before_value(std::byte* to, std::size_t body_bytes,
                                      const RecordFields& fields) noexcept {
  to = encode_length(to, body_bytes);
  *to++ = std::byte{0};  // attributes: none are defined
  to = encode_varlong(to, fields.timestamp_delta);
  to = encode_varint(to, fields.offset_delta);
  to = encode_field(to, fields.key);
  if (fields.value.is_null()) {
    *to = null_length;
    return to + 1;
  }
  return encode_length(to, fields.value.size());
}

/// Writes the record up to its header count, and returns where the headers' bytes go.
inline std::byte* encode_before_headers(std::byte* to, std::size_t body_bytes,
                                        const RecordFields& fields) noexcept {
  to = encode_before_value(to, body_bytes, fields);
  if (!fields.value.is_null()) {
    std::memcpy(to, fields.value.data(), fields.value.size());
    to += fields.value.size();
  }
  return encode_length(to, fields.header_count);
}

}  // namespace seriatim::format
