// Bytes in the JSON lines that both sides print.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <seriatim/types.hpp>

namespace seriatim::kafka_test {

/// Quoted hex, or null.
inline std::string hex(BytesView bytes) {
  if (bytes.is_null()) return "null";
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const std::byte byte : bytes.bytes()) {
    const auto value = std::to_integer<unsigned>(byte);
    text += digits[value >> 4];
    text += digits[value & 15U];
  }
  return text + "\"";
}

}  // namespace seriatim::kafka_test
