#include "base/time_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

#include "base/saturate.hpp"
#include "base/text.hpp"

namespace seriatim::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr std::string_view digit_characters = "0123456789";
constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t day_ms = 86'400'000;
// 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z.
constexpr std::int64_t first_ms = -62'167'219'200'000;
constexpr std::int64_t last_ms = 253'402'300'799'999;

// Reads fixed places of a text from left to right; the first that does not fit makes all later ones fail.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  int digits(std::size_t count) noexcept {
    int value = 0;
    if (text_.size() < count) is_good_ = false;
    for (std::size_t i = 0; i < count && is_good_; ++i) {
      if (text_[i] < '0' || text_[i] > '9') is_good_ = false;
      value = value * 10 + (text_[i] - '0');
    }
    if (is_good_) text_.remove_prefix(count);
    return value;
  }

  // One of `allowed`, or 0.
  char one_of(std::string_view allowed) noexcept {
    if (!is_good_ || text_.empty() || allowed.find(text_[0]) == std::string_view::npos) {
      is_good_ = false;
      return 0;
    }
    const char found = text_[0];
    text_.remove_prefix(1);
    return found;
  }

  bool take(char expected) noexcept {
    if (!is_good_ || !text_.starts_with(expected)) return false;
    text_.remove_prefix(1);
    return true;
  }

  // ".123456", cut to milliseconds; 0 if there is no fraction.
  int fraction_ms() noexcept {
    if (!take('.')) return 0;
    const std::size_t count = std::min(text_.find_first_not_of(digit_characters), text_.size());
    if (count == 0) is_good_ = false;
    int ms = 0;
    for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < count ? text_[i] - '0' : 0);
    text_.remove_prefix(count);
    return ms;
  }

  bool is_finished() const noexcept { return is_good_ && text_.empty(); }

 private:
  std::string_view text_;
  bool is_good_ = true;
};

int read_zone_minutes(Reader& reader) noexcept {
  const char sign = reader.one_of("Zz+-");
  if (sign != '+' && sign != '-') return 0;
  const int hours = reader.digits(2);
  reader.one_of(":");
  const int minutes = reader.digits(2);
  if (hours > 23 || minutes > 59) reader.one_of({});
  return sign == '-' ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

// "Thh:mm", and seconds with a fraction if they follow: ms since midnight.
int read_time_of_day(Reader& reader) noexcept {
  reader.one_of("Tt ");
  const int hour = reader.digits(2);
  reader.one_of(":");
  const int minute = reader.digits(2);
  const int second = reader.take(':') ? reader.digits(2) : 0;
  const int ms = reader.fraction_ms();
  if (hour > 23 || minute > 59 || second > 59) reader.one_of({});
  return ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

std::optional<std::int64_t> read_calendar_ms(std::string_view text) noexcept {
  Reader reader(text);
  const int year = reader.digits(4);
  reader.one_of("-");
  const int month = reader.digits(2);
  reader.one_of("-");
  const int day = reader.digits(2);
  const int in_day_ms = reader.is_finished() ? 0 : read_time_of_day(reader);
  const int zone_minutes = reader.is_finished() ? 0 : read_zone_minutes(reader);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!reader.is_finished() || !date.ok()) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return days * day_ms + in_day_ms - zone_minutes * minute_ms;
}

}  // namespace

std::string format_rfc3339(std::int64_t ms_since_epoch) {
  if (ms_since_epoch < first_ms || ms_since_epoch > last_ms) return std::to_string(ms_since_epoch) + " ms";
  const std::chrono::sys_time<milliseconds> time{milliseconds(ms_since_epoch)};
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const int in_day = static_cast<int>((time - day).count());
  char text[40];
  const int bytes =
      std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    in_day / 3'600'000, in_day / 60'000 % 60, in_day / 1000 % 60, in_day % 1000);
  return {text, static_cast<std::size_t>(bytes)};
}

Result<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms) {
  std::optional<std::int64_t> time_ms;
  if (text.starts_with('-')) {
    const Result<std::int64_t> back_ms = parse_duration_ms(text.substr(1));
    if (back_ms) time_ms = saturating_sub(now_ms, *back_ms);
  } else if (!text.empty() && text.find_first_not_of(digit_characters) == std::string_view::npos) {
    std::int64_t number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc()) time_ms = number;
  } else {
    time_ms = read_calendar_ms(text);
  }
  if (time_ms) return *time_ms;
  return Error(
      Errc::invalid_argument,
      "\"" + std::string(text) +
          "\" is not a point in time. Write it as 2024-02-29T23:59:59Z (from its end all but the date "
          "may be left out; +01:00 for Z), as milliseconds since 1970, or as a duration back from "
          "now, -15m.");
}

}  // namespace seriatim::base
