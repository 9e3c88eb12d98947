#include "base/time_text.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"

using namespace seriatim;
using base::format_rfc3339;
using base::parse_rfc3339;

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

TEST_CASE("every legal form is read") {
  CHECK(*parse_rfc3339("1970-01-01T00:00:00Z") == 0);
  CHECK(*parse_rfc3339("1970-01-01t00:00:00z") == 0);
  CHECK(*parse_rfc3339("1970-01-01 00:00:00.5Z") == 500);
  CHECK(*parse_rfc3339("1970-01-01T00:00:00.123456789Z") == 123);
  CHECK(*parse_rfc3339("1970-01-01T01:00:00+01:00") == 0);
  CHECK(*parse_rfc3339("1969-12-31T18:30:00.25-05:30") == 250);
  CHECK(*parse_rfc3339("2016-12-31T23:59:60Z") == *parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST_CASE("what is written is read back as the same millisecond") {
  test::Random random("time_text");
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t ms = random.between(-62'167'219'200'000, 253'402'300'799'999);
    REQUIRE(*parse_rfc3339(format_rfc3339(ms)) == ms);
  }
}

TEST_CASE("anything else is refused with the form to use") {
  for (const char* text :
       {"", "1970", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z",
        "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z", "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00Z ", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+01:60",
        "1970-01-01T00:00:00+0100", "+970-01-01T00:00:00Z", "1970-1-01T00:00:00Z", "1970-00-01T00:00:00Z"}) {
    CAPTURE(text);
    const auto parsed = parse_rfc3339(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK(parsed.error().message().find("2024-02-29T23:59:59Z") != std::string::npos);
  }
}
