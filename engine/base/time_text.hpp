// Points in time as text: RFC 3339, always UTC when written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::base {

/// "2024-02-29T23:59:59.007Z". Outside the years 0000..9999, which RFC 3339 cannot express, the number and
/// " ms".
std::string format_rfc3339(std::int64_t ms_since_epoch);

/// Reads "2024-02-29T23:59:59[.fraction](Z|+hh:mm|-hh:mm)"; "t", "z" and a space for "T" are accepted, as
/// RFC 3339 section 5.6 allows. Digits below a millisecond are cut off; second 60 is read as the following
/// second.
/// @return ms since the epoch.
/// Errors: invalid_argument, with the expected form.
Result<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace seriatim::base
