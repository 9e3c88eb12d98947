// By which a record is known again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <seriatim/record.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Of its time, its key and its value, of each at most the first 4 KiB and the length. Is stored: it never
/// changes.
inline std::uint64_t fingerprint_of(const RecordView& record) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  const auto add_byte = [&](std::uint64_t byte) { hash = (hash ^ (byte & 0xFFU)) * 0x100000001B3U; };
  const auto add_number = [&](std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) add_byte(number >> shift);
  };
  const auto add_bytes = [&](BytesView bytes) {
    constexpr std::size_t bytes_max = 4'096;
    add_number(bytes.is_null() ? ~std::uint64_t{0} : bytes.size());
    for (std::size_t i = 0; i < std::min(bytes.size(), bytes_max); ++i)
      add_byte(std::to_integer<std::uint64_t>(bytes.data()[i]));
  };
  add_number(static_cast<std::uint64_t>(record.timestamp().time_since_epoch().count()));
  add_bytes(record.key());
  add_bytes(record.value());
  return hash;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
