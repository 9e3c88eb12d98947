// Sizes and durations as people write them (one grammar for settings and the command, docs/cli.md), and the
// suggestion after a misspelt name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <seriatim/result.hpp>

namespace seriatim::base {

/// Reads a number of bytes: digits with an optional unit, "4096", "64KiB", "64 kib", "1GB".
///
/// Units, in any case: B · KiB MiB GiB TiB, K M G T (powers of 1024) · KB MB GB TB (powers of 1000).
/// @return 0 .. 2^63 - 1.
/// Errors: invalid_argument: not of this form, or beyond 63 bits; the message says how to write one.
Result<std::int64_t> parse_size(std::string_view text);

/// Reads a number of milliseconds: digits with an optional unit, "250", "250ms", "15m", "7d"; several parts
/// may follow each other, "1h30m".
///
/// Units: ms s m h d w. A plain number is milliseconds.
/// @return 0 .. 2^63 - 1.
/// Errors: as `parse_size`.
Result<std::int64_t> parse_duration_ms(std::string_view text);

/// Reads "PT15M", "P1DT12H", "PT0.5S": weeks and days before T, hours, minutes and seconds behind it. Years
/// and months have no fixed length, and are refused. Digits below a millisecond are cut off.
/// @return ms, 0 .. 2^63 - 1.
/// Errors: invalid_argument: not of this form, or beyond 63 bits; the message says how to write one.
Result<std::int64_t> parse_iso_duration_ms(std::string_view text);

/// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours; letter case
/// is free), if it is close enough to be meant: at most a third of the word's length, at least 1.
/// @return a view of the candidate, the first of several equals; empty if none is close.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace seriatim::base
