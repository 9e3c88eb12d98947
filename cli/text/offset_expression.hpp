// Where to read from and to, as the user writes it: one grammar for every command.
//
//   beginning | end | stored | N | -N | +N | @TIME | s@TIME | e@TIME | START:STOP
//   TIME: as base/time_text.hpp reads it: RFC 3339 (2026-11-22T10:00:00Z, date only allowed), milliseconds
//         since 1970, or a duration back from now (-15m)
//
// N is an offset, -N counts back from the end, +N on from the beginning. STOP is exclusive. kcat's s@ and e@
// are START@ and the time to stop at. Words that can be read as one place are
// one place: the colons of `@2026-11-22T10:00:30` part nothing. After a time, STOP is no bare offset.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::cli {

struct OffsetPoint {
  enum class Kind : std::uint8_t { beginning, end, stored, absolute, before_end, after_beginning, at_time };
  Kind kind = Kind::beginning;
  std::int64_t number = 0;  ///< Offset, or distance. Never negative.
  Timestamp time{};         ///< Only for at_time.

  bool operator==(const OffsetPoint&) const = default;
};

struct OffsetRange {
  std::optional<OffsetPoint> start{};
  std::optional<OffsetPoint> stop{};  ///< Exclusive.

  bool operator==(const OffsetRange&) const = default;
};

/// Reads an offset expression.
/// @param now  what a duration counts back from.
/// Errors: invalid_argument, with the grammar.
/// Threads: any.
Result<OffsetRange> parse_offset_expression(std::string_view text, Timestamp now);

}  // namespace seriatim::cli
