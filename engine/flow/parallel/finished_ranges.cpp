#include "flow/parallel/finished_ranges.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::string_view finished_prefix = "seriatim-parallel/1 ";
// A digit has five bits of a number, the lowest first, and a sixth that says that more follow.
constexpr std::string_view finished_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint64_t digit_bits = 5;
constexpr std::uint64_t digit_more = 1U << digit_bits;
constexpr std::uint64_t number_bits = 64;

void append_number(std::string& text, std::uint64_t number) {
  do {
    const std::uint64_t rest = number >> digit_bits;
    text += finished_digits[(number & (digit_more - 1)) | (rest != 0 ? digit_more : 0)];
    number = rest;
  } while (number != 0);
}

void append_distance(std::string& text, Offset from, Offset to) {
  append_number(text, static_cast<std::uint64_t>(to - from));
}

class FinishedReader {
 public:
  explicit FinishedReader(std::string_view text) : text_(text) {}

  bool is_at_end() const noexcept { return text_.empty(); }
  std::optional<std::uint64_t> number() {
    std::uint64_t number = 0;
    for (std::uint64_t shift = 0; shift < number_bits && !text_.empty(); shift += digit_bits) {
      const std::size_t digit = finished_digits.find(text_.front());
      if (digit == std::string_view::npos) return std::nullopt;
      text_.remove_prefix(1);
      const std::uint64_t bits = digit & (digit_more - 1);
      if (shift + digit_bits > number_bits && (bits >> (number_bits - shift)) != 0) return std::nullopt;
      number |= bits << shift;
      if ((digit & digit_more) == 0) return number;
    }
    return std::nullopt;
  }
  /// `from` and at least one more.
  std::optional<Offset> beyond(Offset from) {
    const auto distance = number();
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<Offset>::max() - from);
    if (!distance || *distance == 0 || *distance > most) return std::nullopt;
    return from + static_cast<Offset>(*distance);
  }

 private:
  std::string_view text_;
};

}  // namespace

std::string encode_finished(Offset position, const FinishedRanges& finished, std::size_t bytes_max) {
  if (finished.ranges.empty() || finished.mark.offset <= position) return {};
  std::string text(finished_prefix);
  append_distance(text, 0, position);
  append_distance(text, position, finished.mark.offset);
  append_number(text, finished.mark.fingerprint);
  bool has_range = false;
  Offset behind = position;
  for (const OffsetRange& range : finished.ranges) {
    const std::size_t size_before = text.size();
    append_distance(text, behind, range.first);
    append_distance(text, range.first, range.end);
    if (text.size() > bytes_max) {
      text.resize(size_before);
      break;
    }
    has_range = true;
    behind = range.end;
  }
  return has_range ? text : std::string();
}

Offset join_position(Offset position, FinishedRanges& finished) {
  std::size_t passed = 0;
  for (; passed < finished.ranges.size() && finished.ranges[passed].first <= position; ++passed)
    position = std::max(position, finished.ranges[passed].end);
  finished.ranges.erase(finished.ranges.begin(),
                        finished.ranges.begin() + static_cast<std::ptrdiff_t>(passed));
  return position;
}

FinishedRanges decode_finished(const OffsetAndMetadata& committed) {
  const std::string_view text = committed.metadata;
  if (!text.starts_with(finished_prefix)) return {};
  FinishedReader reader(text.substr(finished_prefix.size()));
  const auto position = reader.number();
  // Somebody has moved the position, and kept the metadata.
  if (!position || committed.offset < 0 || *position != static_cast<std::uint64_t>(committed.offset))
    return {};
  const auto mark = reader.beyond(committed.offset);
  const auto fingerprint = reader.number();
  if (!mark || !fingerprint) return {};
  FinishedRanges finished{.mark = {.offset = *mark, .fingerprint = *fingerprint}};
  Offset behind = committed.offset;
  while (!reader.is_at_end()) {
    const auto first = reader.beyond(behind);
    const auto end = first ? reader.beyond(*first) : std::nullopt;
    // The mark vouches only for what is not behind it.
    if (!end || *end - 1 > *mark) return {};
    finished.ranges.push_back({.first = *first, .end = *end});
    behind = *end;
  }
  return finished;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
