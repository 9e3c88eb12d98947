#include "segment/index/index_builder.hpp"

#include <doctest/doctest.h>

#include "support/hex.hpp"
#include "support/log_builder.hpp"

using namespace seriatim;
using segment::IndexBuilder;
using test::t0_ms;

namespace {

IndexBuilder build(const test::LogBuilder& log, std::uint64_t interval_bytes = 4096) {
  IndexBuilder builder(log[0].header.base_offset, interval_bytes);
  for (const auto& batch : log.all()) builder.note(batch.position, batch.header);
  return builder;
}

}  // namespace

TEST_CASE("the indexes of the worked example are Kafka's, byte for byte") {
  const auto log = test::worked_example();
  REQUIRE(log.size_bytes() == 15'970);
  auto builder = build(log);
  builder.close();
  CHECK(test::to_hex(builder.offset_entries()) ==
        test::to_hex(test::from_hex("00000003 0000126c 00000006 000024d8 0000000b 00003d78")));
  CHECK(test::to_hex(builder.time_entries()) ==
        test::to_hex(test::from_hex("0000018bcfe56803 00000003 0000018bcfe56806 00000006 "
                                    "0000018bcfe5680b 0000000b 0000018bcfe5680d 0000000d")));
}

TEST_CASE("an entry needs more than the interval since the last one, and the first batch has none") {
  // Exactly the interval is not more than the interval.
  const auto log = test::LogBuilder().batches(4, {.size_bytes = 2048});
  CHECK(build(log).offset_entries().size() == 8);
  CHECK(build(log, 2047).offset_entries().size() == 24);
  CHECK(build(test::LogBuilder().batch({.size_bytes = 9000})).offset_entries().empty());
}

TEST_CASE("the largest timestamp is that of the earliest batch that has it") {
  test::LogBuilder log(100);
  for (const int ms : {5, 9, 9, 3}) log.batch({.size_bytes = 100, .timestamp_ms = t0_ms + ms});
  CHECK(build(log).max_timestamp() == segment::TimestampOffset{t0_ms + 9, 101});
}

TEST_CASE("a time entry is left out unless its timestamp is above the last one's") {
  test::LogBuilder log;
  for (const int ms : {9, 8, 7, 20, 6}) log.batch({.size_bytes = 5000, .timestamp_ms = t0_ms + ms});
  auto builder = build(log);
  CHECK(builder.offset_entries().size() == 4 * 8);
  CHECK(builder.time_entries().size() == 2 * 12);  // 9, known at the second batch, and 20
  builder.close();
  CHECK(builder.time_entries().size() == 2 * 12);
}

TEST_CASE("a log without timestamps has no time entries") {
  auto builder = build(test::LogBuilder().batches(4, {.size_bytes = 5000, .timestamp_ms = -100}));
  builder.close();
  CHECK(builder.offset_entries().size() == 3 * 8);
  CHECK(builder.time_entries().empty());
  CHECK(builder.max_timestamp().timestamp_ms == -1);
}

TEST_CASE("starting from entries that are right gives what starting from the front gives") {
  const auto log = test::LogBuilder(1000).batches(50, {.size_bytes = 1500, .records = 3});
  auto whole = build(log);
  whole.close();
  const std::size_t count = whole.offset_entries().size() / 8;
  for (std::size_t kept = 1; kept <= count; ++kept) {
    IndexBuilder builder(1000, 4096);
    builder.start_from(whole.offset_entries().first(kept * 8), whole.time_entries().first(kept * 12));
    const auto position = base::load_be<std::int32_t>(whole.offset_entries().data() + (kept - 1) * 8 + 4);
    for (const auto& batch : log.all()) {
      if (batch.position >= static_cast<std::uint64_t>(position)) builder.note(batch.position, batch.header);
    }
    builder.close();
    CHECK(test::to_hex(builder.offset_entries()) == test::to_hex(whole.offset_entries()));
    CHECK(test::to_hex(builder.time_entries()) == test::to_hex(whole.time_entries()));
  }
}
