#include "base/text.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "support/random.hpp"

using namespace seriatim;
using namespace seriatim::base;

namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("a size is a number with an optional unit") {
  CHECK(*parse_size("4096") == 4096);
  CHECK(*parse_size("-1") == -1);
  CHECK(*parse_size("0") == 0);
  CHECK(*parse_size("64KiB") == 65536);
  CHECK(*parse_size(" 64 kib ") == 65536);
  CHECK(*parse_size("64K") == 65536);
  CHECK(*parse_size("64KB") == 64000);
  CHECK(*parse_size("1GB") == 1'000'000'000);
  CHECK(*parse_size("1GiB") == 1'073'741'824);
  CHECK(*parse_size("2TiB") == 2'199'023'255'552);
  CHECK(*parse_size("3mb") == 3'000'000);
  CHECK(*parse_size("12B") == 12);
  CHECK(*parse_size("9223372036854775807") == int64_max);
}

TEST_CASE("a size that is none, or too large, is refused and the message shows how to write one") {
  for (const char* text : {"", " ", "KiB", "12q", "1.5GiB", "-1KiB", "+5", "0x10", "1 2",
                           "9223372036854775808", "8388608TiB", "1KiBKiB"}) {
    CAPTURE(text);
    const auto parsed = parse_size(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK(parsed.error().message().find("64KiB") != std::string::npos);
    CHECK(parsed.error().message().find("\"" + std::string(text) + "\"") == 0);
  }
}

TEST_CASE("a duration is a number of milliseconds or a sum of numbers with units") {
  CHECK(*parse_duration_ms("250") == 250);
  CHECK(*parse_duration_ms("-1") == -1);
  CHECK(*parse_duration_ms("250ms") == 250);
  CHECK(*parse_duration_ms("3s") == 3000);
  CHECK(*parse_duration_ms("15m") == 900'000);
  CHECK(*parse_duration_ms("1h30m") == 5'400'000);
  CHECK(*parse_duration_ms("2d 4h") == 187'200'000);
  CHECK(*parse_duration_ms("7d") == 604'800'000);
  CHECK(*parse_duration_ms("1w") == 604'800'000);
  CHECK(*parse_duration_ms("9223372036854775807") == int64_max);
}

TEST_CASE("a duration that is none, or too large, is refused and the message shows how to write one") {
  for (const char* text : {"", "m", "5 minutes", "15M", "1h30", "-1s", "1h-3m", "1.5h", "99999999999999999w",
                           "15250284452471w9223372036854775807ms"}) {
    CAPTURE(text);
    const auto parsed = parse_duration_ms(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK(parsed.error().message().find("1h30m") != std::string::npos);
  }
}

TEST_CASE("sizes and durations are written in the largest unit that is exact") {
  CHECK(format_size(65536) == "64KiB");
  CHECK(format_size(1'073'741'824) == "1GiB");
  CHECK(format_size(1025) == "1025");
  CHECK(format_size(0) == "0");
  CHECK(format_size(-1) == "-1");
  CHECK(format_duration_ms(604'800'000) == "1w");
  CHECK(format_duration_ms(1500) == "1500ms");
  CHECK(format_duration_ms(90'000) == "90s");
  CHECK(format_duration_ms(-1) == "-1");
}

TEST_CASE("what is written is read back as the same number") {
  test::Random random("text");
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t value = random.between(-1, int64_max) >> random.between(0, 62);
    REQUIRE(*parse_size(format_size(value)) == value);
    REQUIRE(*parse_duration_ms(format_duration_ms(value)) == value);
  }
}

TEST_CASE("a size for people has one decimal") {
  CHECK(format_size_rounded(512) == "512 B");
  CHECK(format_size_rounded(1024) == "1.0 KiB");
  CHECK(format_size_rounded(1'503'238'553) == "1.4 GiB");
  CHECK(format_size_rounded(0) == "0 B");
  CHECK(format_size_rounded(int64_max) == "8388608.0 TiB");
}

TEST_CASE("a misspelt word finds the name that was meant") {
  constexpr std::array<std::string_view, 4> names{"retention.ms", "retention.bytes", "segment.ms",
                                                  "cleanup.policy"};
  CHECK(nearest("retention.m", names) == "retention.ms");
  CHECK(nearest("reteniton.ms", names) == "retention.ms");
  CHECK(nearest("RETENTION.MS", names) == "retention.ms");
  CHECK(nearest("cleanup_policy", names) == "cleanup.policy");
  CHECK(nearest("segmnt.ms", names) == "segment.ms");
}

TEST_CASE("nothing is suggested for a word that resembles no name") {
  constexpr std::array<std::string_view, 2> names{"retention.ms", "segment.ms"};
  CHECK(nearest("colour", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest(std::string(100'000, 'x'), names).empty());
  CHECK(nearest("ab", {}).empty());
}

TEST_CASE("swapped neighbours count as one mistake") {
  constexpr std::array<std::string_view, 2> names{"abx", "acb"};
  CHECK(nearest("abc", std::span(names).subspan(1)) == "acb");
  CHECK(nearest("abc", names) == "abx");
}
