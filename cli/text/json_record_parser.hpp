// A record from one JSON object on a line, in the form json_record.hpp describes. Strict: what would be
// dropped silently is an error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim::cli {

/// The fields that `produce -J` takes from a line. `topic` and `offset` are allowed and say nothing there.
struct JsonRecord {
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::optional<PartitionId> partition{};
  std::optional<Timestamp> timestamp{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

/// The forms that a key or value may have besides a string or null.
enum class JsonValues {
  strings,   ///< Nothing.
  anything,  ///< Any JSON; what is no string is stored as its text, as it stands in the line.
};

/// Reads one line: an unknown field or a wrong type is an error.
/// Errors: invalid_record, with the field.
/// Threads: any.
Result<JsonRecord> parse_json_record(std::string_view line, JsonValues values = JsonValues::strings);

}  // namespace seriatim::cli
