#include "text/json_record.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>

#include "text/text_encoding.hpp"

namespace seriatim::cli {
namespace {

Json headers_of(const RecordView& record, bool as_base64) {
  const auto text = [&](std::string_view bytes) { return as_base64 ? base64(bytes) : std::string(bytes); };
  Json headers = Json::array();
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    headers.push_back(
        {text(header.key), header.value.is_null() ? Json(nullptr) : Json(text(header.value.text()))});
  }
  return headers;
}

bool headers_are_utf8(const RecordView& record) {
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    if (!is_utf8(header.key) || !is_utf8(header.value.text())) return false;
  }
  return true;
}

template <class Integer>
void append_number(std::string& out, Integer number) {
  std::array<char, std::numeric_limits<Integer>::digits10 + 2> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), written.ptr);
}

void append_base64_string(std::string& out, std::string_view bytes) {
  out += '"';
  append_base64(out, bytes);
  out += '"';
}

// `opening` is everything of the field before its value but for the suffix of the name: `,"key`.
void append_field(std::string& out, std::string_view opening, BytesView bytes) {
  const std::size_t start = out.size();
  out += opening;
  out += "\":";
  if (bytes.is_null()) {
    out += "null";
  } else if (!append_json_string(out, bytes.text())) {
    out.resize(start);
    out += opening;
    out += "_b64\":";
    append_base64_string(out, bytes.text());
  }
}

// Returns false, with a part appended, if a name or value is not UTF-8 and `as_base64` is not set.
bool append_headers(std::string& out, const RecordView& record, bool as_base64) {
  const auto append_text = [&](std::string_view bytes) {
    if (!as_base64) return append_json_string(out, bytes);
    append_base64_string(out, bytes);
    return true;
  };
  for (std::size_t i = 0; i < record.header_count(); ++i) {
    const HeaderView header = record.header(i);
    out += i == 0 ? "[" : ",[";
    if (!append_text(header.key)) return false;
    out += ',';
    if (header.value.is_null()) {
      out += "null";
    } else if (!append_text(header.value.text())) {
      return false;
    }
    out += ']';
  }
  return true;
}

}  // namespace

void append_json(std::string& out, const RecordView& record) {
  append_field(out, "{\"topic", BytesView(record.topic()));
  out += ",\"partition\":";
  append_number(out, record.partition());
  out += ",\"offset\":";
  append_number(out, record.offset());
  out += ",\"timestamp\":";
  append_number(out, record.timestamp().time_since_epoch().count());
  append_field(out, ",\"key", record.key());
  append_field(out, ",\"value", record.value());
  const std::size_t start = out.size();
  out += ",\"headers\":[";
  if (!append_headers(out, record, false)) {
    out.resize(start);
    out += ",\"headers_b64\":[";
    append_headers(out, record, true);
  }
  out += "]}";
}

Json json_of(const RecordView& record) {
  Json object = Json::object();
  put_bytes(object, "topic", record.topic());
  object["partition"] = record.partition();
  object["offset"] = record.offset();
  object["timestamp"] = record.timestamp().time_since_epoch().count();
  put_nullable_bytes(object, "key", record.key());
  put_nullable_bytes(object, "value", record.value());
  const bool as_text = headers_are_utf8(record);
  object[as_text ? "headers" : "headers_b64"] = headers_of(record, !as_text);
  return object;
}

}  // namespace seriatim::cli
