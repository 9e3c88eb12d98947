#include "text/record_source.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("a line is split at the first delimiter, and without one it has no key") {
  const RecordSource source = RecordSource::make({.key_delimiter = ":"}).value();
  const OutgoingRecord split = source.record_of("user-42:a:b").value();
  CHECK(split.key().text() == "user-42");
  CHECK(split.value().text() == "a:b");
  const OutgoingRecord whole = source.record_of("no delimiter").value();
  CHECK(whole.key().is_null());
  CHECK(whole.value().text() == "no delimiter");
}

TEST_CASE("empty keys and values are empty, and null only when that is asked for") {
  const OutgoingRecord empty = RecordSource::make({.key_delimiter = ":"}).value().record_of(":").value();
  CHECK_FALSE(empty.key().is_null());
  CHECK_FALSE(empty.value().is_null());
  const OutgoingRecord null =
      RecordSource::make({.key_delimiter = ":", .empty_is_null = true}).value().record_of(":").value();
  CHECK(null.key().is_null());
  CHECK(null.value().is_null());
}

TEST_CASE("headers of the command line follow those of the JSON line") {
  const RecordSource source = RecordSource::make({.headers = {"a=1", "null", "b="}, .json = true}).value();
  const OutgoingRecord record = source.record_of(R"({"value":"v","headers":[["own","x"]]})").value();
  REQUIRE(record.headers.size() == 4);
  CHECK(record.headers[0].first == "own");
  CHECK(record.headers[1].second == "1");
  CHECK_FALSE(record.headers[2].second.has_value());
  CHECK(record.headers[3].second == "");
  CHECK(record.value().text() == "v");
}

TEST_CASE("options that contradict each other are refused") {
  CHECK_FALSE(RecordSource::make({.key_delimiter = ":", .key = "k"}).ok());
  CHECK_FALSE(RecordSource::make({.key = "k", .json = true}).ok());
  CHECK_FALSE(RecordSource::make({.key_delimiter = ""}).ok());
  CHECK_FALSE(RecordSource::make({.headers = {"=value"}}).ok());
}

}  // namespace
}  // namespace seriatim::cli
