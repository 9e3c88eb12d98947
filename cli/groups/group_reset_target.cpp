#include "groups/group_reset_target.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "base/time_text.hpp"

namespace seriatim::cli {
namespace {

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
  return text.starts_with('P') ? base::parse_iso_duration_ms(text) : base::parse_duration_ms(text);
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
