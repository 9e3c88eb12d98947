// Where `group reset` sets a group to, in the words of kafka-consumer-groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::cli {

struct ResetTarget {
  enum class Kind : std::uint8_t { earliest, latest, current, offset, shift, time, file };
  Kind kind = Kind::earliest;
  std::int64_t number = 0;  ///< The offset, or by how much it is shifted.
  Timestamp time{};         ///< Of Kind::time: the first record at or after it.
  std::string file{};
  bool operator==(const ResetTarget&) const = default;
};

/// The options as they were given.
struct ResetTargetOptions {
  bool to_earliest = false;
  bool to_latest = false;
  bool to_current = false;
  std::optional<std::int64_t> to_offset{};
  std::optional<std::int64_t> shift_by{};
  std::optional<std::string> by_duration{};
  std::optional<std::string> to_datetime{};
  std::optional<std::string> from_file{};
};

/// Errors: invalid_argument: none is given, or more than one; no duration or time.
Result<ResetTarget> reset_target(const ResetTargetOptions& options, Timestamp now);

/// A duration in milliseconds: ISO 8601 without years and months, as Kafka's tool takes it ("PT1H30M",
/// "P1DT12H", "PT0.5S"), or as settings are written ("1h30m").
/// Errors: invalid_argument: neither, or beyond 63 bits.
Result<std::int64_t> parse_duration_back_ms(std::string_view text);

}  // namespace seriatim::cli
