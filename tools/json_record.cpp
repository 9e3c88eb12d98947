#include "json_record.hpp"

#include <string>
#include <string_view>

#include "text_encoding.hpp"

namespace seriatim::tools {
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

}  // namespace

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

}  // namespace seriatim::tools
