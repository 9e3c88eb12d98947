#include "text/json_record_parser.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

std::string complaint(std::string_view line) {
  const Result<JsonRecord> record = parse_json_record(line);
  REQUIRE_FALSE(record.ok());
  CHECK(record.error().code() == Errc::invalid_record);
  return record.error().message();
}

TEST_CASE("every field of consume -J is read back") {
  const JsonRecord record =
      parse_json_record(R"({"topic":"orders","partition":3,"offset":7,"timestamp":1795358379512,)"
                        R"("key":"k","value":"v","headers":[["trace","4bf9"],["trace",null]]})")
          .value();
  CHECK(record.key == "k");
  CHECK(record.value == "v");
  CHECK(record.partition == 3);
  CHECK(record.timestamp == Timestamp(std::chrono::milliseconds(1'795'358'379'512)));
  REQUIRE(record.headers.size() == 2);
  CHECK(record.headers[0].second == "4bf9");
  CHECK_FALSE(record.headers[1].second.has_value());
}

TEST_CASE("null, empty and missing stay apart") {
  CHECK_FALSE(parse_json_record(R"({"value":null})").value().value.has_value());
  CHECK_FALSE(parse_json_record("{}").value().key.has_value());
  CHECK(parse_json_record(R"({"value":""})").value().value == "");
  CHECK(parse_json_record(R"({"value_b64":""})").value().value == "");
  CHECK_FALSE(parse_json_record(R"({"value_b64":null})").value().value.has_value());
}

TEST_CASE("Base64 fields are decoded") {
  const JsonRecord record =
      parse_json_record(R"({"key_b64":"/9g=","headers_b64":[["dA==","/w=="]]})").value();
  CHECK(record.key == "\xff\xd8");
  CHECK(record.headers[0].first == "t");
  CHECK(record.headers[0].second == "\xff");
}

TEST_CASE("what would be dropped silently is refused with the field's name") {
  CHECK(complaint(R"({"payload":1})").find("\"payload\" is unknown") != std::string::npos);
  CHECK(complaint(R"({"key":1})").find("\"key\" must be a string") != std::string::npos);
  CHECK(complaint(R"({"key":"a","key_b64":"YQ=="})").find("given as text as well") != std::string::npos);
  CHECK(complaint(R"({"value_b64":"a"})").find("not padded Base64") != std::string::npos);
  CHECK(complaint(R"({"partition":4294967296})").find("\"partition\" must be an integer") !=
        std::string::npos);
  CHECK(complaint(R"({"partition":-1})").find("\"partition\"") != std::string::npos);
  CHECK(complaint(R"({"timestamp":18446744073709551615})").find("\"timestamp\"") != std::string::npos);
  CHECK(complaint(R"({"timestamp":1.5})").find("\"timestamp\"") != std::string::npos);
  CHECK(complaint(R"({"headers":{"a":"b"}})").find("\"headers\" must be an array") != std::string::npos);
  CHECK(complaint(R"({"headers":[[null,"b"]]})").find("null") != std::string::npos);
  CHECK(complaint("[1]").find("not an object") != std::string::npos);
  CHECK(complaint("hello").find("not JSON") != std::string::npos);
  CHECK(complaint("{} {}").find("not JSON") != std::string::npos);
}

TEST_CASE("a value of any type is its text as it stands in the line") {
  const auto value = [](std::string_view line) {
    return parse_json_record(line, JsonValues::anything).value().value;
  };
  for (const char* const text : {"1", "-0.50", "1E2", "12345678901234567890123", "true", "[1, \"},]\", {}]",
                                 R"({"a" : {"b":"\\\"}"}, "value":2})"}) {
    CAPTURE(text);
    CHECK(value(R"({"key":"value","value" : )" + std::string(text) + " }") == text);
    CHECK(value(R"( {"headers":[["value","}"]], "value":)" + std::string(text) + R"(,"offset":1} )") == text);
    CHECK(value(R"({"val\u0075e":)" + std::string(text) + "}") == text);
    CHECK_FALSE(parse_json_record(R"({"value":)" + std::string(text) + "}").ok());
  }
  CHECK(value(R"({"value":"text"})") == "text");
  CHECK_FALSE(value(R"({"value":null})").has_value());
  CHECK(parse_json_record(R"({"key":[7]})", JsonValues::anything).value().key == "[7]");
  CHECK_FALSE(parse_json_record(R"({"value_b64":7})", JsonValues::anything).ok());
}

}  // namespace
}  // namespace seriatim::cli
