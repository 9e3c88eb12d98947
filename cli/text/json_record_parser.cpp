#include "text/json_record_parser.hpp"

#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>

#include "text/text_encoding.hpp"

namespace seriatim::cli {
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

std::string_view without_space(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = text.find_first_not_of(space);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(space) - first + 1);
}

// Where the string at the start of `text`, which begins with its quotation mark, ends.
std::size_t string_end(std::string_view text) {
  std::size_t at = 1;
  while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

// Where the value at the start of `text` ends: before the comma or brace that is not its own.
std::size_t value_end(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (depth == 0 && (c == ',' || c == '}')) return at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    at += c == '"' ? string_end(text.substr(at)) : 1;
  }
  return text.size();
}

// The text of the last field `name` of the object `line`, which the library has found to be right. The
// library itself would give a number back with other digits.
std::string_view text_of_field(std::string_view line, std::string_view name) {
  std::string_view found;
  std::string_view rest = line.substr(line.find('{') + 1);
  while (rest.find('"') != std::string_view::npos) {
    rest.remove_prefix(rest.find('"'));
    const std::size_t name_end = string_end(rest);
    const bool is_it = Json::parse(rest.substr(0, name_end)).get_ref<const std::string&>() == name;
    rest.remove_prefix(rest.find(':', name_end) + 1);
    const std::size_t end = value_end(rest);
    if (is_it) found = without_space(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return found;
}

// A key or value: its text, or with JsonValues::anything that of what is no string.
Result<> read_content(std::optional<std::string>& into, const std::string& field, const Json& value,
                      std::optional<std::string_view> line) {
  if (value.is_string() || value.is_null() || field.ends_with("_b64")) return read_text(into, field, value);
  if (!line) {
    return bad_field(field,
                     "must be a string or null; --json-values stores any other value as its JSON text");
  }
  into = text_of_field(*line, field);
  return {};
}

Result<> read_field(JsonRecord& record, const std::string& field, const Json& value,
                    std::optional<std::string_view> line) {
  if (field == "topic" || field == "offset") return {};
  if (field == "key" || field == "key_b64") return read_content(record.key, field, value, line);
  if (field == "value" || field == "value_b64") return read_content(record.value, field, value, line);
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

Result<JsonRecord> parse_json_record(std::string_view line, JsonValues values) {
  const Json object = Json::parse(line, nullptr, false);
  if (object.is_discarded())
    return Error(Errc::invalid_record, "this is not JSON: " + printable(line.substr(0, 60)));
  if (!object.is_object())
    return Error(Errc::invalid_record, "this is JSON but not an object: " + printable(line.substr(0, 60)));
  JsonRecord record;
  for (const auto& [field, value] : object.items()) {
    const bool twice = field.ends_with("_b64") && object.contains(field.substr(0, field.size() - 4));
    if (twice) return bad_field(field, "is given as text as well; give one of them");
    const Result<> read =
        read_field(record, field, value, values == JsonValues::anything ? std::optional(line) : std::nullopt);
    if (!read.ok()) return read.error();
  }
  return record;
}

}  // namespace seriatim::cli
