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
    if (const std::byte* const after = decode_small(at_, end_, out); after != nullptr) [[likely]]
      return passed(after, out.offset_delta);
    const std::byte* const after = decode_any(at_, end_, out);
    return after == nullptr ? fail() : passed(after, out.offset_delta);
  }

  /// Where the next record begins.
  const std::byte* position() const noexcept { return at_; }

 private:
  Step passed(const std::byte* after, std::int32_t offset_delta) noexcept {
    if (offset_delta <= previous_delta_ || offset_delta > last_offset_delta_) return fail();
    previous_delta_ = offset_delta;
    at_ = after;
    --remaining_;
    return Step::record;
  }

  // A number of one or two groups, as most are. False, with `at` anywhere: it has more.
  static bool take_short(const std::byte*& at, std::uint32_t& zigzag) noexcept {
    const auto low = std::to_integer<std::uint32_t>(at[0]);
    if (low < 0x80U) {
      zigzag = low;
      at += 1;
      return true;
    }
    const auto high = std::to_integer<std::uint32_t>(at[1]);
    zigzag = (low & 0x7FU) | high << 7;
    at += 2;
    return high < 0x80U;
  }

  // A record without headers and with short numbers, which most are, with fewer checks and branches: less
  // than half of the time of the general way. nullptr: something is different, or wrong; the general way
  // finds out.
  static const std::byte* decode_small(const std::byte* at, const std::byte* end,
                                       DecodedRecord& out) noexcept {
    // The numbers in front of the value, whatever they are, when each has at most two bytes and the key is
    // null.
    constexpr std::ptrdiff_t numbers_bytes_max = 2 + 1 + 2 + 2 + 1 + 2;
    std::uint32_t body = 0;
    std::uint32_t timestamp = 0;
    std::uint32_t offset = 0;
    std::uint32_t value = 0;
    if (end - at < numbers_bytes_max || !take_short(at, body) || (body & 1U) != 0) return nullptr;
    const std::byte* const body_end = at + (body >> 1);
    if (static_cast<std::ptrdiff_t>(body >> 1) > end - at) return nullptr;
    ++at;  // attributes
    if (!take_short(at, timestamp) || !take_short(at, offset)) return nullptr;
    out.timestamp_delta = unzigzag(timestamp);
    out.offset_delta = unzigzag(offset);
    if (*at == null_length) {
      out.key = nullptr;
      ++at;
    } else {
      std::uint32_t key = 0;
      if (!take_short(at, key) || (key & 1U) != 0) return nullptr;
      // Room for the value's length and the header count must be left: those are read unchecked.
      if (static_cast<std::ptrdiff_t>(key >> 1) + 2 > end - at) return nullptr;
      out.key = BytesView(at, key >> 1);
      at += key >> 1;
    }
    if (!take_short(at, value) || (value & 1U) != 0) return nullptr;
    // Exactly the value and a header count of zero fill the rest.
    if (body_end - at != static_cast<std::ptrdiff_t>(value >> 1) + 1 || body_end[-1] != std::byte{0})
      return nullptr;
    out.value = BytesView(at, value >> 1);
    out.headers = {body_end, 0};
    out.header_count = 0;
    return body_end;
  }

  // Any record; nullptr if it is malformed. Not inline, so that the other way keeps the registers.
  static const std::byte* decode_any(const std::byte* at, const std::byte* end, DecodedRecord& out) noexcept;

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
  /// On bytes that no RecordCursor has checked, false may also mean that they are malformed: is_finished()
  /// is false then.
  bool next(HeaderView& out) noexcept;

  /// Whether the last header was read and nothing is left.
  bool is_finished() const noexcept { return remaining_ == 0 && at_ == end_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
  std::int32_t remaining_;
};

}  // namespace seriatim::format
