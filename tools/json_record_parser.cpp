#include "json_record_parser.hpp"

#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>

#include "text_encoding.hpp"

namespace seriatim::tools {
namespace {

using Json = nlohmann::ordered_json;

Error bad_field(std::string_view field, std::string_view what) {
  return {Errc::invalid_record, "field \"" + std::string(field) + "\" " + std::string(what)};
}

using Text = std::optional<std::string>;

// A string or null, decoded if the field's name says that it is Base64.
Result<Text> text_of(const std::string& field, const Json& value) {
  if (value.is_null()) return Text();
  if (!value.is_string()) return bad_field(field, "must be a string or null");
  const std::string& text = value.get_ref<const std::string&>();
  if (!field.ends_with("_b64")) return Text(text);
  const auto bytes = from_base64(text);
  if (!bytes) return bad_field(field, "is not padded Base64");
  return Text(*bytes);
}

Result<std::int64_t> integer_of(const std::string& field, const Json& value, std::int64_t smallest,
                                std::int64_t largest) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(largest));
  if (!fits || value.get<std::int64_t>() < smallest || value.get<std::int64_t>() > largest) {
    return bad_field(field,
                     "must be an integer, " + std::to_string(smallest) + " .. " + std::to_string(largest));
  }
  return value.get<std::int64_t>();
}

Result<> read_headers(JsonRecord& record, const std::string& field, const Json& value) {
  if (!value.is_array()) return bad_field(field, "must be an array of [name, value] pairs");
  for (const Json& pair : value) {
    if (!pair.is_array() || pair.size() != 2) return bad_field(field, "must hold pairs, [name, value]");
    const Result<Text> name = text_of(field, pair[0]);
    if (!name.ok()) return name.error();
    if (!*name) return bad_field(field, "has a name that is null");
    const Result<Text> content = text_of(field, pair[1]);
    if (!content.ok()) return content.error();
    record.headers.emplace_back(**name, *content);
  }
  return {};
}

Result<> read_text(std::optional<std::string>& into, const std::string& field, const Json& value) {
  const Result<Text> text = text_of(field, value);
  if (!text.ok()) return text.error();
  into = *text;
  return {};
}

Result<> read_field(JsonRecord& record, const std::string& field, const Json& value) {
  if (field == "topic" || field == "offset") return {};
  if (field == "key" || field == "key_b64") return read_text(record.key, field, value);
  if (field == "value" || field == "value_b64") return read_text(record.value, field, value);
  if (field == "headers" || field == "headers_b64") return read_headers(record, field, value);
  if (field == "partition") {
    const Result<std::int64_t> partition =
        integer_of(field, value, 0, std::numeric_limits<PartitionId>::max());
    if (!partition.ok()) return partition.error();
    record.partition = static_cast<PartitionId>(*partition);
    return {};
  }
  if (field == "timestamp") {
    const Result<std::int64_t> timestamp =
        integer_of(field, value, -1, std::numeric_limits<std::int64_t>::max());
    if (!timestamp.ok()) return timestamp.error();
    record.timestamp = Timestamp(std::chrono::milliseconds(*timestamp));
    return {};
  }
  return bad_field(field,
                   "is unknown. Known are key, value, headers (each also with _b64), partition, timestamp, "
                   "topic and offset");
}

}  // namespace

Result<JsonRecord> parse_json_record(std::string_view line) {
  const Json object = Json::parse(line, nullptr, false);
  if (object.is_discarded())
    return Error(Errc::invalid_record, "this is not JSON: " + printable(line.substr(0, 60)));
  if (!object.is_object())
    return Error(Errc::invalid_record, "this is JSON but not an object: " + printable(line.substr(0, 60)));
  JsonRecord record;
  for (const auto& [field, value] : object.items()) {
    const bool twice = field.ends_with("_b64") && object.contains(field.substr(0, field.size() - 4));
    if (twice) return bad_field(field, "is given as text as well; give one of them");
    const Result<> read = read_field(record, field, value);
    if (!read.ok()) return read.error();
  }
  return record;
}

}  // namespace seriatim::tools
