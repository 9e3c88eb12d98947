// Walks the records of a batch, and the headers of a record, in place: views into the caller's bytes, no
// copy, no allocation. The CRC being right says nothing about the records, so every length is bounded here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/varint.hpp"

namespace seriatim::format {

/// One record. Its views point into the section the cursor was given.
struct DecodedRecord {
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_delta = 0;
  BytesView key{};
  BytesView value{};
  base::ByteSpan headers{};  ///< As stored; already checked, HeaderCursor walks them.
  std::int32_t header_count = 0;
};

/// Walks the uncompressed records section of one batch.
class RecordCursor {
 public:
  enum class Step : std::uint8_t { record, end, malformed };

  /// @param section            the bytes after the header, decompressed.
  /// @param record_count       what the batch header declares.
  /// @param last_offset_delta  the same; a record beyond it is malformed.
  RecordCursor(base::ByteSpan section, std::int32_t record_count,
               std::int32_t last_offset_delta = std::numeric_limits<std::int32_t>::max()) noexcept
      : at_(section.data()),
        end_(section.data() + section.size()),
        remaining_(record_count),
        last_offset_delta_(last_offset_delta) {}

  /// Reads the next record into `out`.
  ///
  /// `end` only if exactly the declared number of records filled the section. `malformed` is final: every
  /// later call says so again, and `out` holds nothing of use.
  Step next(DecodedRecord& out) noexcept {
    if (remaining_ <= 0) return remaining_ == 0 && at_ == end_ ? Step::end : fail();
    std::int32_t body_bytes = 0;
    const std::byte* at = decode_varint(at_, end_, body_bytes);
    if (at == nullptr || body_bytes < 0 || body_bytes > end_ - at) return fail();
    const std::byte* const body_end = at + body_bytes;
    if (!decode_body(at, body_end, out)) return fail();
    if (out.offset_delta <= previous_delta_ || out.offset_delta > last_offset_delta_) return fail();
    previous_delta_ = out.offset_delta;
    at_ = body_end;
    --remaining_;
    return Step::record;
  }

 private:
  static bool decode_body(const std::byte* at, const std::byte* end, DecodedRecord& out) noexcept {
    if (at == end) return false;
    ++at;  // Record attributes: no bit has a meaning, and Kafka's reader ignores them.
    at = decode_varlong(at, end, out.timestamp_delta);
    if (at == nullptr) return false;
    at = decode_varint(at, end, out.offset_delta);
    if (at == nullptr) return false;
    at = decode_bytes(at, end, out.key);
    if (at == nullptr) return false;
    at = decode_bytes(at, end, out.value);
    if (at == nullptr) return false;
    at = decode_varint(at, end, out.header_count);
    if (at == nullptr || out.header_count < 0) return false;
    out.headers = {at, static_cast<std::size_t>(end - at)};
    return out.header_count == 0 ? at == end : headers_are_valid(out.headers, out.header_count);
  }

  // A length of -1 is null. Anything lower, which no writer makes, is read as null too, as Kafka does.
  static const std::byte* decode_bytes(const std::byte* at, const std::byte* end, BytesView& out) noexcept {
    std::int32_t size = 0;
    at = decode_varint(at, end, size);
    if (at == nullptr) return nullptr;
    if (size < 0) {
      out = nullptr;
      return at;
    }
    if (size > end - at) return nullptr;
    out = BytesView(at, static_cast<std::size_t>(size));
    return at + size;
  }

  static bool headers_are_valid(base::ByteSpan headers, std::int32_t count) noexcept;

  Step fail() noexcept {
    remaining_ = -1;
    return Step::malformed;
  }

  const std::byte* at_;
  const std::byte* end_;
  std::int32_t remaining_;
  std::int32_t last_offset_delta_;
  std::int32_t previous_delta_ = -1;
};

/// Walks the stored headers of one record, in their order.
class HeaderCursor {
 public:
  HeaderCursor(base::ByteSpan headers, std::int32_t header_count) noexcept
      : at_(headers.data()), end_(headers.data() + headers.size()), remaining_(header_count) {}

  /// Reads the next header into `out`, which then points into the stored bytes. False after the last one.
  /// On bytes that no RecordCursor has checked, false may also mean that they are malformed: is_malformed().
  bool next(HeaderView& out) noexcept;

  bool is_malformed() const noexcept { return remaining_ < 0; }
  /// Whether the last header was read and nothing is left.
  bool is_finished() const noexcept { return remaining_ == 0 && at_ == end_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  std::int32_t remaining_;
};

}  // namespace seriatim::format
