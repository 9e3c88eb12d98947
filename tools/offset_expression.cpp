#include "offset_expression.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "quantity.hpp"

namespace seriatim::tools {
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

// Takes exactly `width` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  const std::optional<std::int64_t> value = read_digits(text.substr(0, width));
  if (value) text.remove_prefix(width);
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::minutes> take_hours_and_minutes(std::string_view& text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

// Seconds and their fraction, both optional; digits beyond the millisecond are cut off.
std::optional<std::chrono::milliseconds> take_seconds(std::string_view& text) {
  if (!take(text, ':')) return std::chrono::milliseconds(0);
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  std::chrono::milliseconds result = std::chrono::seconds(*seconds);
  if (!take(text, '.')) return result;
  int place = 100;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits, place /= 10) {
    result += std::chrono::milliseconds(place * (text[digits] - '0'));
  }
  text.remove_prefix(digits);
  return digits > 0 ? std::optional(result) : std::nullopt;
}

// The zone's distance from UTC; UTC if none is named.
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return std::chrono::minutes(0);
  const bool east = take(text, '+');
  if (!east && !take(text, '-')) return std::nullopt;
  const auto distance = take_hours_and_minutes(text);
  if (!distance) return std::nullopt;
  return east ? *distance : -*distance;
}

std::optional<Timestamp> read_calendar_time(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  if (text.empty()) return Timestamp(*date);
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const auto time_of_day = take_hours_and_minutes(text);
  if (!time_of_day) return std::nullopt;
  const auto seconds = take_seconds(text);
  if (!seconds) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return Timestamp(*date) + *time_of_day + *seconds - *zone;
}

std::optional<Timestamp> read_time(std::string_view text, Timestamp now) {
  std::optional<Timestamp> time;
  if (text.starts_with('-')) {
    const auto back = parse_duration(text.substr(1));
    if (back.ok()) time = now - *back;
  } else if (const auto milliseconds = read_digits(text)) {
    time = Timestamp(std::chrono::milliseconds(*milliseconds));
  } else {
    time = read_calendar_time(text);
  }
  // Every record is later than a time before 1970, so the earliest is the first at or after it.
  return time ? std::optional(std::max(*time, Timestamp{})) : std::nullopt;
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

Result<Timestamp> parse_time(std::string_view text, Timestamp now) {
  if (const auto time = read_time(text, now)) return *time;
  return Error(Errc::invalid_argument, "\"" + std::string(text) +
                                           "\" is no time. Write 2026-11-22, 2026-11-22T10:00:00Z, "
                                           "milliseconds since 1970, or a duration back from now (-15m)");
}

}  // namespace seriatim::tools
