// Fields of the values that recipes keep in their state tables. Numbers are little-endian; texts are a length
// of 4 bytes and their bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <seriatim/types.hpp>

namespace seriatim::flow {

class FieldWriter {
 public:
  template <class Integer>
  void number(Integer value) {
    auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      bytes.push_back(static_cast<char>(bits & 0xFFU));
      if constexpr (sizeof(Integer) > 1) bits >>= 8U;
    }
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes += value;
  }
  void text_or_null(BytesView value) {
    number(static_cast<std::uint8_t>(!value.is_null()));
    if (!value.is_null()) text(value.text());
  }
  void text_or_null(const std::optional<std::string>& value) {
    text_or_null(value ? BytesView(*value) : BytesView());
  }
  /// Nothing is -1.
  void time(const std::optional<Timestamp>& value) {
    number(value ? value->time_since_epoch().count() : std::int64_t{-1});
  }

  std::string bytes{};
};

/// Once it fails it stays failed, and gives zeros.
class FieldReader {
 public:
  /// @param bytes  outlive this.
  explicit FieldReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class Integer>
  Integer number() {
    using Bits = std::make_unsigned_t<Integer>;
    if (!take(sizeof(Integer))) return 0;
    Bits bits = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i)
      bits = static_cast<Bits>(bits | static_cast<Bits>(static_cast<Bits>(taken_[i]) << (8 * i)));
    return static_cast<Integer>(bits);
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (!take(size)) return {};
    return {reinterpret_cast<const char*>(taken_.data()), size};
  }
  std::optional<std::string> text_or_null() {
    if (number<std::uint8_t>() == 0) return std::nullopt;
    return text();
  }
  std::optional<Timestamp> time() {
    const auto ms = number<std::int64_t>();
    if (ms == -1) return std::nullopt;
    return Timestamp{std::chrono::milliseconds{ms}};
  }
  std::span<const std::byte> rest() const { return rest_; }
  bool is_at_end() const { return !has_failed_ && rest_.empty(); }
  bool has_failed() const { return has_failed_; }

 private:
  bool take(std::size_t size) {
    if (has_failed_ || size > rest_.size()) {
      has_failed_ = true;
      return false;
    }
    taken_ = rest_.first(size);
    rest_ = rest_.subspan(size);
    return true;
  }

  std::span<const std::byte> rest_;
  std::span<const std::byte> taken_{};
  bool has_failed_ = false;
};

}  // namespace seriatim::flow
