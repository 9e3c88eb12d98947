#include "groups/group_reset_target.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "base/time_text.hpp"

namespace seriatim::cli {
namespace {

constexpr std::int64_t milliseconds_max = std::numeric_limits<std::int64_t>::max();

Error no_iso_duration(std::string_view text) {
  return {Errc::invalid_argument,
          "\"" + std::string(text) +
              "\" is no duration. Write P[nD]T[nH][nM][n.nS], as in PT15M or P1DT12H; or 15m, 1h30m"};
}

// Milliseconds of a unit behind P, and behind T; 0: there is none.
std::int64_t iso_unit_ms(char unit, bool is_time) {
  if (!is_time) return unit == 'W' ? 604'800'000 : unit == 'D' ? 86'400'000 : 0;
  return unit == 'H' ? 3'600'000 : unit == 'M' ? 60'000 : unit == 'S' ? 1'000 : 0;
}

// Thousandths of a number "12" or "12.3456"; digits beyond are cut off. Moves `text` behind it.
std::optional<std::int64_t> take_thousandths(std::string_view& text) {
  std::int64_t whole = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (failure != std::errc() || whole < 0 || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (whole > milliseconds_max / 1'000 - 1) return std::nullopt;
  std::int64_t thousandths = whole * 1'000;
  if (!text.starts_with('.') && !text.starts_with(',')) return thousandths;
  text.remove_prefix(1);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return std::nullopt;
  for (std::size_t i = 0, unit = 100; i < digits && unit > 0; ++i, unit /= 10)
    thousandths += (text[i] - '0') * static_cast<std::int64_t>(unit);
  text.remove_prefix(digits);
  return thousandths;
}

Result<std::int64_t> parse_iso_duration_ms(std::string_view text) {
  std::string_view rest = text.substr(1);
  std::int64_t total = 0;
  bool is_time = false;
  bool has_part = false;
  while (!rest.empty()) {
    if (rest.front() == 'T' && !is_time) {
      is_time = true;
      has_part = false;
      rest.remove_prefix(1);
      continue;
    }
    const auto thousandths = take_thousandths(rest);
    const std::int64_t unit = !thousandths || rest.empty() ? 0 : iso_unit_ms(rest.front(), is_time);
    // Only seconds have a fraction.
    if (unit == 0 || (unit != 1'000 && *thousandths % 1'000 != 0)) return no_iso_duration(text);
    rest.remove_prefix(1);
    if (*thousandths / 1'000 > (milliseconds_max - total) / unit - 1) return no_iso_duration(text);
    total += unit == 1'000 ? *thousandths : *thousandths / 1'000 * unit;
    has_part = true;
  }
  return has_part ? Result<std::int64_t>(total) : Result<std::int64_t>(no_iso_duration(text));
}

Result<Timestamp> duration_back(const std::string& text, Timestamp now) {
  const Result<std::int64_t> back_ms = parse_duration_back_ms(text);
  if (!back_ms.ok()) return back_ms.error();
  // Before 1970 no record has a time.
  const std::int64_t now_ms = now.time_since_epoch().count();
  return Timestamp(std::chrono::milliseconds(now_ms - std::min(now_ms, *back_ms)));
}

Result<Timestamp> datetime(const std::string& text, Timestamp now) {
  const Result<std::int64_t> ms = base::parse_time_ms(text, now.time_since_epoch().count());
  if (!ms.ok()) return ms.error();
  return Timestamp(std::chrono::milliseconds(std::max<std::int64_t>(*ms, 0)));
}

}  // namespace

Result<std::int64_t> parse_duration_back_ms(std::string_view text) {
  return text.starts_with('P') ? parse_iso_duration_ms(text) : base::parse_duration_ms(text);
}

Result<ResetTarget> reset_target(const ResetTargetOptions& options, Timestamp now) {
  using Kind = ResetTarget::Kind;
  const int given = int{options.to_earliest} + int{options.to_latest} + int{options.to_current} +
                    int{options.to_offset.has_value()} + int{options.shift_by.has_value()} +
                    int{options.by_duration.has_value()} + int{options.to_datetime.has_value()} +
                    int{options.from_file.has_value()};
  if (given != 1) {
    return Error(
        Errc::invalid_argument,
        std::string(given == 0 ? "it is not said where to" : "only one place to go to can be given") +
            ". Give one of --to-earliest --to-latest --to-current --to-offset N --shift-by N "
            "--by-duration DURATION --to-datetime TIME --from-file FILE");
  }
  if (options.to_latest) return ResetTarget{.kind = Kind::latest};
  if (options.to_current) return ResetTarget{.kind = Kind::current};
  if (options.to_offset) return ResetTarget{.kind = Kind::offset, .number = *options.to_offset};
  if (options.shift_by) return ResetTarget{.kind = Kind::shift, .number = *options.shift_by};
  if (options.from_file) return ResetTarget{.kind = Kind::file, .file = *options.from_file};
  if (options.to_earliest) return ResetTarget{.kind = Kind::earliest};
  const Result<Timestamp> time =
      options.by_duration ? duration_back(*options.by_duration, now) : datetime(*options.to_datetime, now);
  if (!time.ok()) return time.error();
  return ResetTarget{.kind = Kind::time, .time = *time};
}

}  // namespace seriatim::cli
