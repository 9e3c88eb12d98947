// Bytes from and to hexadecimal text, for tests that hold worked examples.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seriatim::test {

/// The bytes that `text` spells, two digits each. Spaces, line ends and '|' between them are for the eye.
/// Throws std::invalid_argument on anything else: a mistyped example must not become a shorter one.
inline std::vector<std::byte> from_hex(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    throw std::invalid_argument(std::string("not a hexadecimal digit: ") + c);
  };
  std::vector<std::byte> bytes;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\n' || text[at] == '|') {
      ++at;
      continue;
    }
    if (at + 1 == text.size()) throw std::invalid_argument("half a byte at the end");
    bytes.push_back(static_cast<std::byte>(digit(text[at]) * 16 + digit(text[at + 1])));
    at += 2;
  }
  return bytes;
}

/// "00 0a ff"
inline std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    if (!text.empty()) text += ' ';
    text += digits[std::to_integer<unsigned>(b) >> 4];
    text += digits[std::to_integer<unsigned>(b) & 15U];
  }
  return text;
}

}  // namespace seriatim::test
