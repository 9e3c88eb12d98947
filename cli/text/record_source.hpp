// From a piece of input to a record to send.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>

#include "text/json_record_parser.hpp"

namespace seriatim::cli {

/// How `produce` is told to read its input.
struct RecordShape {
  std::optional<std::string> key_delimiter{};
  std::optional<std::string> key{};
  std::vector<std::string> headers{};
  bool empty_is_null = false;
  bool json = false;
  bool json_values = false;  ///< Keys and values of any JSON type.
};

/// A record that owns what a JSON line had to be decoded into, and otherwise points into the line.
///
/// Lifetime: the line and the source it came from.
struct OutgoingRecord {
  BytesView key() const noexcept { return owned_key ? BytesView(*owned_key) : key_view; }
  BytesView value() const noexcept { return owned_value ? BytesView(*owned_value) : value_view; }

  BytesView key_view{};
  BytesView value_view{};
  std::optional<std::string> owned_key{};
  std::optional<std::string> owned_value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
  std::optional<PartitionId> partition{};
  std::optional<Timestamp> timestamp{};
};

/// Threads: any number.
class RecordSource {
 public:
  /// Errors: invalid_argument: options that contradict each other, or a header that is not K=V.
  static Result<RecordSource> make(const RecordShape& shape);
  /// Whether a piece of the input holds no record: in JSON a line of white space.
  bool is_blank(std::string_view piece) const noexcept;
  /// Errors: invalid_record: not the JSON that was announced.
  Result<OutgoingRecord> record_of(std::string_view piece) const;

 private:
  Result<OutgoingRecord> record_of_json(std::string_view line) const;

  std::optional<std::string> key_delimiter_{};
  std::optional<std::string> key_{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers_{};
  bool empty_is_null_ = false;
  bool json_ = false;
  JsonValues json_values_ = JsonValues::strings;
};

}  // namespace seriatim::cli
