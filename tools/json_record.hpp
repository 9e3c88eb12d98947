// A record as one JSON object on a line: what `consume -J` writes and `produce -J` reads.
//
//   {"topic":"orders","partition":3,"offset":7,"timestamp":1795358379512,"key":"user-42","value":"...","headers":[["trace","4bf9"]]}
//
// Null stays null. Bytes that are not UTF-8 go as Base64 in a field of the same name with _b64 at its end (`key_b64`, `value_b64`); if one header
// is not UTF-8, all of them go as `headers_b64`, names and values in Base64.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>

#include "output.hpp"

namespace seriatim::tools {

/// What `produce -J` takes from a line. `topic` and `offset` are allowed and say nothing there.
struct JsonRecord {
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::optional<PartitionId> partition{};
  std::optional<Timestamp> timestamp{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

Json json_of(const RecordView& record);

/// Reads one line, strictly: an unknown field or a wrong type is an error.
/// Errors: invalid_record, with the field.
/// Threads: any.
Result<JsonRecord> parse_json_record(std::string_view line);

}  // namespace seriatim::tools
