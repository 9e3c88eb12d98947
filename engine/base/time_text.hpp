// Points in time as people write them (docs/cli.md), and as RFC 3339, always UTC, when written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::base {

/// "2024-02-29T23:59:59.007Z". Outside the years 0000..9999, which RFC 3339 cannot express, the number and
/// " ms".
std::string format_rfc3339(std::int64_t ms_since_epoch);

/// Reads a point in time: RFC 3339, "2024-02-29T23:59:59.007Z"; digits alone, the milliseconds since 1970; or
/// "-15m", a duration as `parse_duration_ms` reads it, back from `now_ms`.
///
/// Of RFC 3339 the time of day, its seconds, their fraction and the zone (Z, +hh:mm, -hh:mm) may be left
/// out: midnight and UTC then. "t", "z" and a space for "T" are accepted (RFC 3339, 5.6). Digits below a
/// millisecond are cut off. Second 60 is refused: the clocks that stamp records have none.
/// @return ms since the epoch, may be negative.
/// Errors: invalid_argument: not of this form, or beyond 63 bits; the message says how to write one.
Result<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms);

}  // namespace seriatim::base
