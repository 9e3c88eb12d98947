#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

Consumer assigned(const Engine& engine, ConsumerOptions options = {}) {
  auto consumer = must(engine.consumer(std::move(options)));
  must(consumer.assign({t0}));
  return consumer;
}

// Offsets 3 to 10, of one record each.
void make_log(const Engine& engine) {
  for (int i = 0; i < 10; ++i) append_batch(engine, t0, {.timestamp_ms = 1'000 + i * 100});
  must(engine.admin().delete_records(t0, 3));
}

TEST_CASE("without a committed offset the policy decides where to start") {
  OpenedEngine opened;
  make_log(opened.engine);
  CHECK(must(assigned(opened.engine).position(t0)) == 3);
  CHECK(must(assigned(opened.engine, {.auto_offset_reset = AutoOffsetReset::latest}).position(t0)) == 10);
  for (const char* group : {"", "g"}) {
    auto asked =
        assigned(opened.engine, {.group_id = group, .auto_offset_reset = AutoOffsetReset::none}).position(t0);
    REQUIRE_FALSE(asked);
    CHECK(asked.error().code() == Errc::no_offset_for_partition);
    CHECK(says(asked.error().message(), {"t-0", "3 to 9"}));
  }
}

TEST_CASE("by_duration starts at the first record that is not older, or at the end") {
  TempDir temp;
  base::ManualClock clock(2'000);
  auto engine = open_engine_with(temp / "data", os::posix_vfs(), clock);
  create_topic(engine, "t");
  make_log(engine);  // offset 5 is of 1'500 ms
  const auto start = [&](std::int64_t ms) {
    return must(assigned(engine, {.auto_offset_reset = AutoOffsetReset::by_duration,
                                  .auto_offset_reset_duration = std::chrono::milliseconds(ms)})
                    .position(t0));
  };
  CHECK(start(500) == 5);
  CHECK(start(501) == 5);
  CHECK(start(499) == 6);
  CHECK(start(10'000) == 3);
  CHECK(start(0) == 10);
}

TEST_CASE("a consumer starts at its group's committed offset") {
  OpenedEngine opened;
  make_log(opened.engine);
  auto first = assigned(opened.engine, {.group_id = "g"});
  must(first.commit_sync({{t0, {.offset = 7}}}));
  CHECK(must(assigned(opened.engine, {.group_id = "g", .auto_offset_reset = AutoOffsetReset::none})
                 .position(t0)) == 7);
  CHECK(must(assigned(opened.engine, {.group_id = "h"}).position(t0)) == 3);
}

TEST_CASE(
    "a position outside the log is answered as the policy says: reset, or an error with the valid range") {
  OpenedEngine opened;
  make_log(opened.engine);
  for (const Offset outside : {Offset{0}, Offset{99}}) {
    auto earliest = assigned(opened.engine);
    must(earliest.seek(t0, outside));
    CHECK(offsets_of(must(earliest.poll(no_wait))).front() == 3);
    auto latest = assigned(opened.engine, {.auto_offset_reset = AutoOffsetReset::latest});
    must(latest.seek(t0, outside));
    CHECK(must(latest.poll(no_wait)).empty());
    CHECK(must(latest.position(t0)) == 10);
    auto none = assigned(opened.engine, {.auto_offset_reset = AutoOffsetReset::none});
    must(none.seek(t0, outside));
    auto polled = none.poll(no_wait);
    REQUIRE_FALSE(polled);
    CHECK(polled.error().code() == Errc::offset_out_of_range);
    CHECK(says(polled.error().message(), {"t-0", "3 to 9"}));
    CHECK(must(none.position(t0)) == outside);
  }
}

TEST_CASE("a seek before assign is remembered, one to a negative offset refused") {
  OpenedEngine opened(2);
  make_log(opened.engine);
  auto consumer = must(opened.engine.consumer());
  must(consumer.seek(t0, 6));
  CHECK(code_of(consumer.seek(t0, -1)) == Errc::invalid_argument);
  must(consumer.assign({t1}));
  must(consumer.assign({t0}));
  CHECK(offsets_of(must(consumer.poll(no_wait))).front() == 6);
  must(consumer.assign({}));
  must(consumer.assign({t0}));
  CHECK(must(consumer.position(t0)) == 3);
}

TEST_CASE("a seek drops what was left of a batch, forwards and backwards") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 10, .frame = {.codec = format::Codec::snappy}});
  auto consumer = must(opened.engine.consumer({.max_poll_records = 2}));
  must(consumer.assign({t0}));
  CHECK(offsets_of(must(consumer.poll(no_wait))) == std::vector<Offset>{0, 1});
  must(consumer.seek(t0, 7));
  CHECK(offsets_of(must(consumer.poll(no_wait))) == std::vector<Offset>{7, 8});
  must(consumer.seek(t0, 1));
  CHECK(offsets_of(must(consumer.poll(no_wait))) == std::vector<Offset>{1, 2});
}

TEST_CASE("seeking to beginning and end moves the named partitions, or all") {
  OpenedEngine opened(2);
  make_log(opened.engine);
  append_batch(opened.engine, t1, {.records = 2});
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0, t1}));
  must(consumer.seek_to_end());
  CHECK(must(consumer.position(t0)) == 10);
  CHECK(must(consumer.position(t1)) == 2);
  must(consumer.seek_to_beginning(std::vector{t0}));
  CHECK(must(consumer.position(t0)) == 3);
  CHECK(must(consumer.position(t1)) == 2);
  CHECK(code_of(consumer.seek_to_end(std::vector<TopicPartition>{{"t", 9}})) == Errc::invalid_state);
  CHECK(code_of(consumer.position({"t", 9})) == Errc::invalid_state);
}

TEST_CASE("seeking to a time goes to the first record not before it, or to the end") {
  OpenedEngine opened(2);
  make_log(opened.engine);
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0, t1}));
  must(consumer.seek_to_time(Timestamp{std::chrono::milliseconds(1'450)}));
  CHECK(must(consumer.position(t0)) == 5);
  CHECK(must(consumer.position(t1)) == 0);
  must(consumer.seek_to_time(Timestamp{std::chrono::milliseconds(9'999)}));
  CHECK(must(consumer.position(t0)) == 10);
  CHECK(code_of(consumer.seek_to_time(Timestamp{std::chrono::milliseconds(-5)})) == Errc::invalid_argument);
}

TEST_CASE(
    "under none, retention that passes the position is an error that says so, and reading goes on after a "
    "seek") {
  OpenedEngine opened;
  make_log(opened.engine);
  auto consumer =
      must(opened.engine.consumer({.auto_offset_reset = AutoOffsetReset::none, .max_poll_records = 2}));
  must(consumer.assign({t0}));
  must(consumer.seek_to_beginning());
  CHECK(must(consumer.poll(no_wait)).count() == 2);
  must(opened.engine.admin().delete_records(t0, 8));
  CHECK(code_of(consumer.poll(no_wait)) == Errc::offset_out_of_range);
  must(consumer.seek_to_beginning());
  CHECK(offsets_of(must(consumer.poll(no_wait))) == std::vector<Offset>{8, 9});
}

}  // namespace
}  // namespace seriatim::test
