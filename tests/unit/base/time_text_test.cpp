#include "base/time_text.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"

using namespace seriatim;
using base::format_rfc3339;
using base::parse_time_ms;

namespace {

constexpr std::int64_t now_ms = 1'795'358'400'000;

}  // namespace

TEST_CASE("a time is written in UTC with milliseconds") {
  CHECK(format_rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(format_rfc3339(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(format_rfc3339(1'709'251'199'007) == "2024-02-29T23:59:59.007Z");
  CHECK(format_rfc3339(-62'167'219'200'000) == "0000-01-01T00:00:00.000Z");
  CHECK(format_rfc3339(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("a time RFC 3339 cannot express is written as its number") {
  CHECK(format_rfc3339(253'402'300'800'000) == "253402300800000 ms");
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808 ms");
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807 ms");
}

TEST_CASE("a time is RFC 3339 in any zone, milliseconds since 1970, or a duration back from now") {
  struct Row {
    const char* text;
    std::int64_t ms;
  };
  const Row rows[] = {{"1970-01-01T00:00:00Z", 0},
                      {"1970-01-01t00:00:00z", 0},
                      {"1970-01-01 00:00:00.5Z", 500},
                      {"1970-01-01T00:00:00.123456789Z", 123},
                      {"1970-01-01T01:00:00+01:00", 0},
                      {"1969-12-31T18:30:00.25-05:30", 250},
                      {"1970-01-02", 86'400'000},
                      {"1970-01-01T00:01", 60'000},
                      {"1970-01-01T02:00+02:00", 0},
                      {"1970-01-01T00:00:01", 1'000},
                      {"2024-02-29T23:59:59.007Z", 1'709'251'199'007},
                      {"0000-01-01", -62'167'219'200'000},
                      {"0", 0},
                      {"1795358379512", 1'795'358'379'512},
                      {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
                      {"-0", now_ms},
                      {"-15", now_ms - 15},
                      {"-15m", now_ms - 900'000},
                      {"-1h30m", now_ms - 5'400'000},
                      {"-9223372036854775807", now_ms - std::numeric_limits<std::int64_t>::max()}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(*parse_time_ms(row.text, now_ms) == row.ms);
  }
}

TEST_CASE("a duration back from a time long ago ends at the earliest number") {
  CHECK(*parse_time_ms("-9223372036854775807", -10) == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("what is written is read back as the same millisecond") {
  test::Random random("time_text");
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t ms = random.between(-62'167'219'200'000, 253'402'300'799'999);
    REQUIRE(*parse_time_ms(format_rfc3339(ms), now_ms) == ms);
  }
}

TEST_CASE("a time that is none is refused with the forms to use") {
  for (const char* text : {"",
                           "-",
                           "--1m",
                           "-1y",
                           "1970-",
                           "1970-1-01",
                           "1970-01-01T",
                           "1970-01-01T00",
                           "1970-01-01Z",
                           "1970-13-01T00:00:00Z",
                           "1970-02-29T00:00:00Z",
                           "1970-01-01T24:00:00Z",
                           "1970-01-01T00:60:00Z",
                           "1970-01-01T00:00:60Z",
                           "1970-01-01T00:00:00.Z",
                           "1970-01-01T00:00:00Z ",
                           "1970-01-01T00:00:00+24:00",
                           "1970-01-01T00:00:00+01:60",
                           "1970-01-01T00:00:00+0100",
                           "+970-01-01T00:00:00Z",
                           "10:00",
                           "1.5",
                           "1970-1-01T00:00:00Z",
                           "1970-00-01T00:00:00Z",
                           "yesterday",
                           "9223372036854775808"}) {
    CAPTURE(text);
    const auto parsed = parse_time_ms(text, now_ms);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK(parsed.error().message().find("2024-02-29T23:59:59Z") != std::string::npos);
    CHECK(parsed.error().message().find("\"" + std::string(text) + "\"") == 0);
  }
}
