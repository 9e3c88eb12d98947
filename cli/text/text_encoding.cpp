#include "text/text_encoding.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace seriatim::cli {
namespace {

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> base64_values = [] {
  std::array<std::int8_t, 256> values{};
  for (std::int8_t& value : values) value = -1;
  for (std::size_t i = 0; i < base64_letters.size(); ++i) {
    values[static_cast<unsigned char>(base64_letters[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

bool in_range(unsigned char byte, int lowest, int highest) noexcept {
  return byte >= lowest && byte <= highest;
}

std::int8_t base64_value(char c) noexcept { return base64_values[static_cast<unsigned char>(c)]; }

constexpr std::uint64_t each_byte(std::uint64_t byte) { return byte * 0x0101010101010101; }

// Marks, in the top bit of each byte, bytes that are not printable ASCII or that JSON escapes. A borrow may
// mark a byte above one that is marked rightly: only the lowest mark counts.
std::uint64_t special_bytes(std::uint64_t word) noexcept {
  const auto zeros = [](std::uint64_t bytes) { return (bytes - each_byte(0x01)) & ~bytes; };
  const std::uint64_t below_space = (word - each_byte(0x20)) & ~word;
  return (word | below_space | zeros(word ^ each_byte('"')) | zeros(word ^ each_byte('\\'))) &
         each_byte(0x80);
}

}  // namespace

std::size_t plain_prefix(std::string_view bytes) noexcept {
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    if (special_bytes(word) != 0) break;
  }
  const auto is_plain = [](char c) {
    return in_range(static_cast<unsigned char>(c), 0x20, 0x7F) && c != '"' && c != '\\';
  };
  while (at < bytes.size() && is_plain(bytes[at])) ++at;
  return at;
}

// Table 3-7 of the Unicode Standard.
std::size_t utf8_length(std::string_view rest) noexcept {
  const auto byte = [&](std::size_t at) {
    return at < rest.size() ? static_cast<unsigned char>(rest[at]) : static_cast<unsigned char>(0);
  };
  const unsigned char first = byte(0);
  const auto tail = [&](std::size_t at) { return in_range(byte(at), 0x80, 0xBF); };
  if (first <= 0x7F) return 1;
  if (in_range(first, 0xC2, 0xDF)) return tail(1) ? 2 : 0;
  if (in_range(first, 0xE0, 0xEF)) {
    const bool second = in_range(byte(1), first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && tail(2) ? 3 : 0;
  }
  if (in_range(first, 0xF0, 0xF4)) {
    const bool second = in_range(byte(1), first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view bytes) noexcept {
  while (true) {
    bytes.remove_prefix(plain_prefix(bytes));
    if (bytes.empty()) return true;
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
}

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  const auto byte = [&](std::size_t at) {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
  };
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t group = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) *to++ = base64_letters[group >> shift & 0x3F];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  for (std::size_t i = 1; i <= padding; ++i) out[out.size() - i] = '=';
}

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const bool is_padding = at + i >= text.size() - padding;
      const std::int8_t value = is_padding ? std::int8_t{0} : base64_value(text[at + i]);
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(group >> shift & 0xFF);
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string printable(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    // C1 controls (U+0080..U+009F) are two bytes, C2 80 .. C2 9F.
    const bool is_c1 =
        length == 2 && first == 0xC2 && in_range(static_cast<unsigned char>(bytes[1]), 0x80, 0x9F);
    if (length == 0 || first < 0x20 || first == 0x7F || is_c1) {
      text += "\\x";
      text += digits[first >> 4];
      text += digits[first & 0xF];
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return text;
}

std::string printable_lines(std::string_view bytes) {
  std::string text;
  while (true) {
    const std::size_t end = bytes.find('\n');
    text += printable(bytes.substr(0, end));
    if (end == std::string_view::npos) return text;
    text += '\n';
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace seriatim::cli
