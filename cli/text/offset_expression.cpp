#include "text/offset_expression.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "base/time_text.hpp"

namespace seriatim::cli {
namespace {

using Kind = OffsetPoint::Kind;

std::optional<std::int64_t> read_digits(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped_at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stopped_at != end) return std::nullopt;
  return value;
}

std::optional<Timestamp> read_time(std::string_view text, Timestamp now) {
  const Result<std::int64_t> time_ms = base::parse_time_ms(text, now.time_since_epoch().count());
  if (!time_ms) return std::nullopt;
  // Every record is later than a time before 1970, so the earliest is the first at or after it.
  return Timestamp(std::chrono::milliseconds(std::max<std::int64_t>(*time_ms, 0)));
}

std::optional<OffsetPoint> read_point(std::string_view text, Timestamp now) {
  if (text == "beginning") return OffsetPoint{.kind = Kind::beginning};
  if (text == "end") return OffsetPoint{.kind = Kind::end};
  if (text == "stored") return OffsetPoint{.kind = Kind::stored};
  if (text.empty()) return std::nullopt;
  if (text.front() == '@') {
    const auto time = read_time(text.substr(1), now);
    if (!time) return std::nullopt;
    return OffsetPoint{.kind = Kind::at_time, .time = *time};
  }
  const bool signed_number = text.front() == '-' || text.front() == '+';
  const auto number = read_digits(signed_number ? text.substr(1) : text);
  if (!number) return std::nullopt;
  const Kind kind = text.front() == '-'   ? Kind::before_end
                    : text.front() == '+' ? Kind::after_beginning
                                          : Kind::absolute;
  return OffsetPoint{.kind = kind, .number = *number};
}

std::optional<OffsetRange> read_range(std::string_view text, Timestamp now) {
  const bool starts = text.starts_with("s@");
  if (starts || text.starts_with("e@")) {
    const auto point = read_point(text.substr(1), now);
    if (!point) return std::nullopt;
    return starts ? OffsetRange{.start = point} : OffsetRange{.stop = point};
  }
  if (const auto point = read_point(text, now)) return OffsetRange{.start = point};
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos;
       colon = text.find(':', colon + 1)) {
    const std::string_view before = text.substr(0, colon);
    const std::string_view after = text.substr(colon + 1);
    const auto start = read_point(before, now);
    const auto stop = read_point(after, now);
    if ((!start && !before.empty()) || (!stop && !after.empty()) || (!start && !stop)) continue;
    if (stop && stop->kind == Kind::stored) continue;
    // A time that was miswritten, `@10:00` or `@2026-11-22T10:00:60`, must not turn into a time and an
    // offset.
    if (start && start->kind == Kind::at_time && stop && stop->kind == Kind::absolute) continue;
    return OffsetRange{.start = start, .stop = stop};
  }
  return std::nullopt;
}

}  // namespace

Result<OffsetRange> parse_offset_expression(std::string_view text, Timestamp now) {
  if (const auto range = read_range(text, now)) return *range;
  return Error(Errc::invalid_argument, "\"" + std::string(text) +
                                           "\" is no offset expression. Write beginning, end, stored, an "
                                           "offset (42), a count from the end (-10) "
                                           "or from the beginning (+10), a time (@2026-11-22T10:00:00Z, "
                                           "@1795358379512, @-15m), or START:STOP of these");
}

}  // namespace seriatim::cli
