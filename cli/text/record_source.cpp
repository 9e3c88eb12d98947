#include "text/record_source.hpp"

#include "text/quantity.hpp"

namespace seriatim::cli {

Result<RecordSource> RecordSource::make(const RecordShape& shape) {
  RecordSource source;
  source.empty_is_null_ = shape.empty_is_null;
  source.json_ = shape.json;
  source.json_values_ = shape.json_values ? JsonValues::anything : JsonValues::strings;
  source.key_ = shape.key;
  if (shape.key && shape.key_delimiter)
    return Error(Errc::invalid_argument,
                 "-k gives every record one key and -K reads it from the input; give one of them");
  if (shape.json_values && !shape.json)
    return Error(Errc::invalid_argument, "--json-values is about the values of JSON lines; give -J too");
  if (shape.json && (shape.key || shape.key_delimiter))
    return Error(Errc::invalid_argument, "with -J the key is in the JSON object; leave out -k and -K");
  if (shape.key_delimiter) {
    Result<std::string> delimiter = parse_delimiter(*shape.key_delimiter);
    if (!delimiter.ok()) return delimiter.error();
    if (delimiter->empty())
      return Error(Errc::invalid_argument,
                   "the key delimiter (-K) is empty; write -K: to split at the first colon");
    source.key_delimiter_ = std::move(*delimiter);
  }
  for (const std::string& header : shape.headers) {
    const std::size_t equals = header.find('=');
    if (equals == 0)
      return Error(Errc::invalid_argument,
                   "-H " + header + " has no name. Write -H NAME=VALUE, or -H NAME for a null value");
    const bool has_value = equals != std::string::npos;
    source.headers_.emplace_back(header.substr(0, equals),
                                 has_value ? std::optional(header.substr(equals + 1)) : std::nullopt);
  }
  return source;
}

bool RecordSource::is_blank(std::string_view piece) const noexcept {
  return json_ && piece.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Result<OutgoingRecord> RecordSource::record_of(std::string_view piece) const {
  if (json_) return record_of_json(piece);
  OutgoingRecord record;
  record.headers = headers_;
  if (key_) record.key_view = *key_;
  const std::size_t split = key_delimiter_ ? piece.find(*key_delimiter_) : std::string_view::npos;
  if (split != std::string_view::npos) {
    record.key_view = piece.substr(0, split);
    piece.remove_prefix(split + key_delimiter_->size());
  }
  record.value_view = piece;
  if (empty_is_null_ && record.key_view.empty()) record.key_view = nullptr;
  if (empty_is_null_ && record.value_view.empty()) record.value_view = nullptr;
  return record;
}

Result<OutgoingRecord> RecordSource::record_of_json(std::string_view line) const {
  Result<JsonRecord> parsed = parse_json_record(line, json_values_);
  if (!parsed.ok()) return parsed.error();
  OutgoingRecord record;
  record.owned_key = std::move(parsed->key);
  record.owned_value = std::move(parsed->value);
  record.headers = std::move(parsed->headers);
  record.headers.insert(record.headers.end(), headers_.begin(), headers_.end());
  record.partition = parsed->partition;
  record.timestamp = parsed->timestamp;
  if (empty_is_null_ && record.owned_key && record.owned_key->empty()) record.owned_key.reset();
  if (empty_is_null_ && record.owned_value && record.owned_value->empty()) record.owned_value.reset();
  return record;
}

}  // namespace seriatim::cli
