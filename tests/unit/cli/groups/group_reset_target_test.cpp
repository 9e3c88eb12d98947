#include "groups/group_reset_target.hpp"

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

constexpr Timestamp reset_now{std::chrono::milliseconds(1'795'358'400'000)};

Timestamp before_now(std::int64_t ms) { return reset_now - std::chrono::milliseconds(ms); }

}  // namespace

TEST_CASE("durations are read as ISO 8601 and as settings are written") {
  CHECK(parse_duration_back_ms("PT15M").value() == 900'000);
  CHECK(parse_duration_back_ms("P1DT2H3M4.5S").value() == 86'400'000 + 7'200'000 + 180'000 + 4'500);
  CHECK(parse_duration_back_ms("P2W").value() == 1'209'600'000);
  CHECK(parse_duration_back_ms("PT0.0019S").value() == 1);
  CHECK(parse_duration_back_ms("PT0S").value() == 0);
  CHECK(parse_duration_back_ms("1h30m").value() == 5'400'000);
  for (const char* text : {"P", "PT", "P1Y", "P1M", "PT1D", "P1DT", "PT-1S", "PT1", "PT1.5H", "PT1.S",
                           "PTT1S", "P1D1", "PT99999999999999999999S", "P999999999999D", "", "soon"}) {
    CAPTURE(text);
    CHECK(parse_duration_back_ms(text).error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("one option says where to, and none or two do not") {
  using Kind = ResetTarget::Kind;
  CHECK(reset_target({.to_earliest = true}, reset_now).value() == ResetTarget{.kind = Kind::earliest});
  CHECK(reset_target({.to_latest = true}, reset_now).value() == ResetTarget{.kind = Kind::latest});
  CHECK(reset_target({.to_current = true}, reset_now).value() == ResetTarget{.kind = Kind::current});
  CHECK(reset_target({.to_offset = 7}, reset_now).value() == ResetTarget{.kind = Kind::offset, .number = 7});
  CHECK(reset_target({.shift_by = -7}, reset_now).value() == ResetTarget{.kind = Kind::shift, .number = -7});
  CHECK(reset_target({.by_duration = "PT15M"}, reset_now).value() ==
        ResetTarget{.kind = Kind::time, .time = before_now(900'000)});
  CHECK(reset_target({.by_duration = "P99999D"}, reset_now).value() ==
        ResetTarget{.kind = Kind::time, .time = Timestamp{}});
  CHECK(reset_target({.to_datetime = "1970-01-01T00:00:01.500"}, reset_now).value() ==
        ResetTarget{.kind = Kind::time, .time = Timestamp{std::chrono::milliseconds(1'500)}});
  CHECK(reset_target({.from_file = "f"}, reset_now).value() == ResetTarget{.kind = Kind::file, .file = "f"});
  CHECK(reset_target({}, reset_now).error().code() == Errc::invalid_argument);
  CHECK(reset_target({.to_earliest = true, .shift_by = 1}, reset_now).error().code() ==
        Errc::invalid_argument);
  CHECK(reset_target({.by_duration = "soon"}, reset_now).error().code() == Errc::invalid_argument);
  CHECK(reset_target({.to_datetime = "soon"}, reset_now).error().code() == Errc::invalid_argument);
}

}  // namespace seriatim::cli
