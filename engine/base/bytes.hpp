// Loads and stores of integers in bytes, without undefined behaviour. Everything on disk is big-endian
// unless its format says otherwise (Kafka's rule).
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace seriatim::base {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

template <std::integral T>
constexpr T byte_swap(T value) noexcept {
  using U = std::make_unsigned_t<T>;
  const U u = static_cast<U>(value);
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(u));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(u));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(u));
}

/// Reads a big-endian T at `from`; the caller has checked that sizeof(T) bytes are there.
template <std::integral T>
T load_be(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (std::endian::native == std::endian::little) value = byte_swap(value);
  return value;
}

/// Writes `value` big-endian at `to`; the caller has checked that sizeof(T) bytes fit.
template <std::integral T>
void store_be(std::byte* to, T value) noexcept {
  if constexpr (std::endian::native == std::endian::little) value = byte_swap(value);
  std::memcpy(to, &value, sizeof(T));
}

template <std::integral T>
T load_le(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) value = byte_swap(value);
  return value;
}

template <std::integral T>
void store_le(std::byte* to, T value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = byte_swap(value);
  std::memcpy(to, &value, sizeof(T));
}

/// The smallest multiple of `unit` (a power of two) that is at least `value`.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t unit) noexcept {
  return (value + unit - 1) & ~(unit - 1);
}

inline ByteSpan as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteSpan bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace seriatim::base
