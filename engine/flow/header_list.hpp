// Headers that recipes write and read: texts, and numbers as decimal text, so that every tool shows them.
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim::flow {

/// Headers to send. Copies of a record's headers point at it.
class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  /// All of the record's but those whose names begin with `prefix`, in their order.
  void copy_without(const RecordView& record, std::string_view prefix) {
    for (std::size_t i = 0; i < record.header_count(); ++i) {
      const HeaderView header = record.header(i);
      if (!header.key.starts_with(prefix)) views_.push_back(header);
    }
  }
  /// @param headers  outlive this.
  void copy_without(const std::vector<std::pair<std::string, std::optional<std::string>>>& headers,
                    std::string_view prefix) {
    for (const auto& [name, value] : headers) {
      if (!name.starts_with(prefix)) views_.push_back({name, value ? BytesView(*value) : BytesView()});
    }
  }
  /// @param name  outlives this.
  void text(std::string_view name, std::string value) {
    texts_.push_back(std::make_unique<const std::string>(std::move(value)));
    views_.push_back({name, *texts_.back()});
  }
  template <class Integer>
  void number(std::string_view name, Integer value) {
    text(name, std::to_string(value));
  }
  void time(std::string_view name, Timestamp value) { number(name, value.time_since_epoch().count()); }
  std::span<const HeaderView> views() const noexcept { return views_; }

 private:
  std::vector<std::unique_ptr<const std::string>> texts_{};
  std::vector<HeaderView> views_{};
};

/// Nothing: not the whole text is one number.
template <class Integer>
std::optional<Integer> header_number(const std::optional<BytesView>& value) {
  if (!value || value->is_null()) return std::nullopt;
  const std::string_view text = value->text();
  Integer number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::optional<Timestamp> header_time(const std::optional<BytesView>& value) {
  const auto ms = header_number<std::int64_t>(value);
  if (!ms) return std::nullopt;
  return Timestamp{std::chrono::milliseconds{*ms}};
}

inline std::string header_text(const std::optional<BytesView>& value) {
  return value && !value->is_null() ? std::string(value->text()) : std::string();
}

/// The beginning of a message, at most 1'000 bytes of whole characters.
inline std::string header_message(std::string_view message) {
  constexpr std::size_t message_bytes_max = 1'000;
  if (message.size() <= message_bytes_max) return std::string(message);
  std::size_t end = message_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U) --end;
  return std::string(message.substr(0, end));
}

}  // namespace seriatim::flow
