#include "text/offset_expression.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

using Kind = OffsetPoint::Kind;

constexpr Timestamp now{std::chrono::milliseconds(1'795'358'400'000)};

OffsetRange range_of(std::string_view text) { return parse_offset_expression(text, now).value(); }

OffsetPoint start_of(std::string_view text) {
  const OffsetRange range = range_of(text);
  REQUIRE(range.start.has_value());
  CHECK_FALSE(range.stop.has_value());
  return *range.start;
}

std::int64_t milliseconds_of(std::string_view text) {
  const OffsetPoint point = start_of(text);
  REQUIRE(point.kind == Kind::at_time);
  return point.time.time_since_epoch().count();
}

TEST_CASE("a single place is the start") {
  CHECK(start_of("beginning") == OffsetPoint{.kind = Kind::beginning});
  CHECK(start_of("end") == OffsetPoint{.kind = Kind::end});
  CHECK(start_of("stored") == OffsetPoint{.kind = Kind::stored});
  CHECK(start_of("42") == OffsetPoint{.kind = Kind::absolute, .number = 42});
  CHECK(start_of("0") == OffsetPoint{.kind = Kind::absolute, .number = 0});
  CHECK(start_of("-10") == OffsetPoint{.kind = Kind::before_end, .number = 10});
  CHECK(start_of("+10") == OffsetPoint{.kind = Kind::after_beginning, .number = 10});
  CHECK(start_of("9223372036854775807").number == 9'223'372'036'854'775'807);
}

TEST_CASE("times are RFC 3339 in any zone, milliseconds, or a duration back from now") {
  CHECK(milliseconds_of("@0") == 0);
  CHECK(milliseconds_of("@1795358379512") == 1'795'358'379'512);
  CHECK(milliseconds_of("@1970-01-02") == 86'400'000);
  CHECK(milliseconds_of("@1970-01-01T00:01") == 60'000);
  CHECK(milliseconds_of("@1970-01-01T00:00:01.5Z") == 1'500);
  CHECK(milliseconds_of("@1970-01-01T00:00:01.0019Z") == 1'001);
  CHECK(milliseconds_of("@1970-01-01t02:00:00+02:00") == 0);
  CHECK(milliseconds_of("@1970-01-01 00:00:00-01:30") == 5'400'000);
  CHECK(milliseconds_of("@2024-02-29T00:00:00Z") == 1'709'164'800'000);
  CHECK(milliseconds_of("@-15m") == now.time_since_epoch().count() - 900'000);
  CHECK(milliseconds_of("@-1h30m") == now.time_since_epoch().count() - 5'400'000);
  CHECK(milliseconds_of("@-15") == now.time_since_epoch().count() - 15);
  CHECK(milliseconds_of("@-1h") == now.time_since_epoch().count() - 3'600'000);
}

TEST_CASE("START:STOP takes any two places and either may be left out") {
  const OffsetPoint ten{.kind = Kind::absolute, .number = 10};
  const OffsetPoint twenty{.kind = Kind::absolute, .number = 20};
  CHECK(range_of("10:20") == OffsetRange{.start = ten, .stop = twenty});
  CHECK(range_of("10:") == OffsetRange{.start = ten});
  CHECK(range_of(":20") == OffsetRange{.stop = twenty});
  CHECK(range_of("stored:end") ==
        OffsetRange{.start = OffsetPoint{.kind = Kind::stored}, .stop = OffsetPoint{.kind = Kind::end}});
  CHECK(range_of("-10:-5").stop == OffsetPoint{.kind = Kind::before_end, .number = 5});
}

TEST_CASE("the colons of a time of day do not part a range") {
  CHECK(range_of("@1970-01-01T00:01:02").start->time.time_since_epoch().count() == 62'000);
  const OffsetRange hour = range_of("@1970-01-01T00:00:00Z:@1970-01-01T01:00:00Z");
  CHECK(hour.start->time.time_since_epoch().count() == 0);
  CHECK(hour.stop->time.time_since_epoch().count() == 3'600'000);
  CHECK(range_of("@1970-01-01T00:01:end").stop == OffsetPoint{.kind = Kind::end});
}

TEST_CASE("kcat's s@ and e@ are a start and a stop") {
  const OffsetPoint second{.kind = Kind::at_time, .time = Timestamp(std::chrono::seconds(1))};
  CHECK(range_of("s@1000") == OffsetRange{.start = second});
  CHECK(range_of("e@1000") == OffsetRange{.stop = second});
}

TEST_CASE("what is no offset expression is refused with the grammar") {
  const std::vector<std::string> wrong{"",
                                       ":",
                                       "::",
                                       "yesterday",
                                       "Beginning",
                                       "--1",
                                       "-",
                                       "+",
                                       "1.5",
                                       "1e3",
                                       " 1",
                                       "1 ",
                                       "0x10",
                                       "@",
                                       "@yesterday",
                                       "@10:00",

                                       "@2026-13-01",
                                       "@2026-02-30",
                                       "@2026-11-22T24:00",
                                       "@2026-11-22T10:60",
                                       "@2026-11-22T10:00:60",
                                       "@2026-11-22T10:00:00.",
                                       "@2026-11-22T10:00:00+25:00",
                                       "@2026-11-22T10:00:00Zjunk",
                                       "@-15y",
                                       "@--15m",
                                       "@-99999999999999999w",
                                       "9223372036854775808",
                                       "-9223372036854775808",
                                       "10:stored",
                                       "10:20:30",
                                       "s@",
                                       "s@x",
                                       "e1"};
  for (const std::string& text : wrong) {
    CAPTURE(text);
    const Result<OffsetRange> range = parse_offset_expression(text, now);
    REQUIRE_FALSE(range.ok());
    CHECK(range.error().code() == Errc::invalid_argument);
    CHECK(range.error().message().find("START:STOP") != std::string::npos);
  }
}

TEST_CASE("a time before 1970 is before all records: no expression leads there") {
  const Timestamp early{std::chrono::milliseconds(1'000)};
  for (const char* const text : {"@-1s", "@-2s", "@-99999w", "@1969-12-31", "@0001-01-01T00:00:00Z"}) {
    CAPTURE(text);
    const auto range = parse_offset_expression(text, early);
    REQUIRE(range.ok());
    CHECK(range->start->kind == OffsetPoint::Kind::at_time);
    CHECK(range->start->time == Timestamp{});
  }
}

}  // namespace
}  // namespace seriatim::cli
