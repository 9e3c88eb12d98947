#include "base/text.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace seriatim;
using namespace seriatim::base;

namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

// A text and the number that it means.
struct Row {
  const char* text;
  std::int64_t number;
};

}  // namespace

TEST_CASE("a size is a number of bytes with an optional unit, in any case") {
  const Row rows[] = {{"4096", 4096},
                      {"0", 0},
                      {"12B", 12},
                      {"64KiB", 65'536},
                      {" 64 kib ", 65'536},
                      {"64K", 65'536},
                      {"64KB", 64'000},
                      {"64kB", 64'000},
                      {"3mb", 3'000'000},
                      {"2M", 2'097'152},
                      {"1GB", 1'000'000'000},
                      {"1G", 1'073'741'824},
                      {"1GiB", 1'073'741'824},
                      {"2TB", 2'000'000'000'000},
                      {"2T", 2'199'023'255'552},
                      {"2TiB", 2'199'023'255'552},
                      {"8388607TiB", 9'223'370'937'343'148'032},
                      {"9223372036854775807", int64_max}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(*parse_size(row.text) == row.number);
  }
}

TEST_CASE("a size that is none, or too large, is refused and the message shows how to write one") {
  for (const char* text : {"", " ", "KiB", "12q", "1.5GiB", "-1", "-1KiB", "+5", "0x10", "1 2", "1KiBx",
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
  const Row rows[] = {{"250", 250},
                      {"0", 0},
                      {"250ms", 250},
                      {"3s", 3000},
                      {"15m", 900'000},
                      {"15 m", 900'000},
                      {"1h30m", 5'400'000},
                      {"2d 4h", 187'200'000},
                      {"7d", 604'800'000},
                      {"1w", 604'800'000},
                      {"15250284452w", 9'223'372'036'569'600'000},
                      {"9223372036854775807", int64_max}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(*parse_duration_ms(row.text) == row.number);
  }
}

TEST_CASE("a duration that is none, or too large, is refused and the message shows how to write one") {
  for (const char* text :
       {"", "m", "5 minutes", "15M", "1h30", "-1", "-1s", "1h-3m", "1.5h", "+5", "99999999999999999w",
        "9223372036854775808", "15250284452w9223372036854775807ms"}) {
    CAPTURE(text);
    const auto parsed = parse_duration_ms(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK(parsed.error().message().find("1h30m") != std::string::npos);
    CHECK(parsed.error().message().find("\"" + std::string(text) + "\"") == 0);
  }
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

TEST_CASE("durations of ISO 8601 are read as milliseconds") {
  CHECK(parse_iso_duration_ms("PT15M").value() == 900'000);
  CHECK(parse_iso_duration_ms("P1DT12H").value() == 129'600'000);
  CHECK(parse_iso_duration_ms("P2W").value() == 1'209'600'000);
  CHECK(parse_iso_duration_ms("PT0.5S").value() == 500);
  CHECK(parse_iso_duration_ms("PT1,2345S").value() == 1'234);
  CHECK(parse_iso_duration_ms("PT0S").value() == 0);
}

TEST_CASE("a duration of another form, or beyond 63 bits, is refused with the way to write one") {
  for (const char* text : {"", "15M", "P", "PT", "P1Y", "P1M", "PT1H-1M", "PT0.5M", "PT1", "P1D2H", "PT1HT1M",
                           "P999999999999999W"}) {
    CAPTURE(text);
    const auto refused = parse_iso_duration_ms(text);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Errc::invalid_argument);
    CHECK(refused.error().message().find("PT15M") != std::string::npos);
  }
}
