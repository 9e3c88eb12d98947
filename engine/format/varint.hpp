// Zigzag varints, the integers inside a Kafka record: n is stored as (n << 1) ^ (n >> 31), or >> 63 for
// the 64-bit kind, then in groups of seven bits, lowest group first, bit 7 meaning "more follows".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace seriatim::format {

inline constexpr std::size_t varint_bytes_max = 5;
inline constexpr std::size_t varlong_bytes_max = 10;

constexpr std::uint32_t zigzag(std::int32_t value) noexcept {
  return (static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31);
}
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int32_t unzigzag(std::uint32_t value) noexcept {
  return static_cast<std::int32_t>((value >> 1) ^ (0U - (value & 1U)));
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>((value >> 1) ^ (0U - (value & 1U)));
}

inline constexpr std::byte null_length{0x01};  // -1 as a varint

/// Bytes of `value` as a varint, 1 to 5.
constexpr std::size_t varint_size(std::int32_t value) noexcept {
  // ceil(bits / 7) without a division: exact for 1 to 32 bits.
  return (static_cast<std::size_t>(std::bit_width(zigzag(value) | 1U)) * 9 + 64) / 64;
}

/// Bytes of `value` as a varlong, 1 to 10.
constexpr std::size_t varlong_size(std::int64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(zigzag(value) | 1U)) * 9 + 64) / 64;
}

namespace detail {

template <class Unsigned>
inline std::byte* encode_groups(std::byte* to, Unsigned bits) noexcept {
  if (bits < 0x80U) {
    *to = static_cast<std::byte>(bits);
    return to + 1;
  }
  if (bits < 0x4000U) [[likely]] {
    *to = static_cast<std::byte>(bits | 0x80U);
    to[1] = static_cast<std::byte>(bits >> 7);
    return to + 2;
  }
  while (bits >= 0x80U) {
    *to++ = static_cast<std::byte>((bits & 0x7FU) | 0x80U);
    bits >>= 7;
  }
  *to++ = static_cast<std::byte>(bits);
  return to;
}

// Bits of the last allowed group that do not fit the integer are dropped, as Kafka's reader drops them.
template <class Unsigned, unsigned bytes_max>
inline const std::byte* decode_groups(const std::byte* at, const std::byte* end, Unsigned& out) noexcept {
  // Most lengths and deltas have one group or two.
  if (end - at >= 2) [[likely]] {
    const auto low = static_cast<Unsigned>(*at);
    if (low < 0x80U) {
      out = low;
      return at + 1;
    }
    const auto high = static_cast<Unsigned>(at[1]);
    if (high < 0x80U) [[likely]] {
      out = static_cast<Unsigned>((low & 0x7FU) | (high << 7));
      return at + 2;
    }
  }
  Unsigned bits = 0;
  for (unsigned shift = 0; shift < bytes_max * 7 && at != end; shift += 7) {
    const auto group = static_cast<Unsigned>(*at++);
    bits |= static_cast<Unsigned>((group & 0x7FU) << shift);
    if (group < 0x80U) {
      out = bits;
      return at;
    }
  }
  return nullptr;
}

}  // namespace detail

/// Writes `value` at `to`, where varint_size(value) bytes are free, and returns the byte after it.
inline std::byte* encode_varint(std::byte* to, std::int32_t value) noexcept {
  return detail::encode_groups(to, zigzag(value));
}

/// Writes `value` at `to`, where varlong_size(value) bytes are free, and returns the byte after it.
inline std::byte* encode_varlong(std::byte* to, std::int64_t value) noexcept {
  return detail::encode_groups(to, zigzag(value));
}

/// Reads a varint from [at, end) into `out` and returns the byte after it; nullptr, with `out` unchanged,
/// if the bytes end before it does or it is longer than 5 bytes.
inline const std::byte* decode_varint(const std::byte* at, const std::byte* end, std::int32_t& out) noexcept {
  std::uint32_t bits = 0;
  const std::byte* after = detail::decode_groups<std::uint32_t, varint_bytes_max>(at, end, bits);
  if (after != nullptr) out = unzigzag(bits);
  return after;
}

/// Reads a varlong from [at, end) into `out` and returns the byte after it; nullptr, with `out` unchanged,
/// if the bytes end before it does or it is longer than 10 bytes.
inline const std::byte* decode_varlong(const std::byte* at, const std::byte* end,
                                       std::int64_t& out) noexcept {
  std::uint64_t bits = 0;
  const std::byte* after = detail::decode_groups<std::uint64_t, varlong_bytes_max>(at, end, bits);
  if (after != nullptr) out = unzigzag(bits);
  return after;
}

}  // namespace seriatim::format
