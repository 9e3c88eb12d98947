#include "unit/api/reading_fixture.hpp"
#include "unit/api/writer_process.hpp"

namespace seriatim::test {
namespace {

Timestamp at_ms(std::int64_t ms) { return Timestamp{std::chrono::milliseconds(ms)}; }

Consumer of_group(const Engine& engine, std::string group = "g") {
  auto consumer = must(engine.consumer({.group_id = std::move(group)}));
  must(consumer.assign_topic("t"));
  return consumer;
}

TEST_CASE("commit_sync stores the current positions, and just those that are known") {
  OpenedEngine opened(2);
  for (const auto& at : {t0, t1}) append_batch(opened.engine, at, {.records = 5});
  auto consumer = of_group(opened.engine);
  must(consumer.pause(std::vector{t1}));
  CHECK(must(consumer.poll(no_wait)).count() == 5);
  must(consumer.commit_sync());
  CHECK(must(consumer.committed(t0)) == OffsetAndMetadata{.offset = 5});
  CHECK_FALSE(must(consumer.committed(t1)));
  CHECK(opened.engine.metrics().offset_commits == 1);
}

TEST_CASE("committing records stores where to go on behind them, not the position") {
  OpenedEngine opened(2);
  append_batch(opened.engine, t0, {.records = 6});
  auto consumer = must(opened.engine.consumer({.group_id = "g", .max_poll_records = 2}));
  must(consumer.assign_topic("t"));
  const auto first = must(consumer.poll(no_wait));
  const auto second = must(consumer.poll(no_wait));
  must(consumer.commit_sync(first));
  CHECK(must(consumer.committed(t0))->offset == 2);
  must(consumer.commit_sync(second));
  CHECK(must(consumer.committed(t0))->offset == 4);
}

TEST_CASE("committed offsets and their metadata survive the engine") {
  TempDir temp;
  {
    auto engine = open_engine(temp / "data");
    create_topic(engine, "t", 2);
    append_batch(engine, t0, {.records = 5});
    must(of_group(engine).commit_sync({{t0, {.offset = 3, .metadata = std::string(4'096, 'm')}}}));
    must(engine.close());
  }
  auto engine = open_engine(temp / "data");
  auto consumer = of_group(engine);
  CHECK(must(consumer.committed(t0)) == OffsetAndMetadata{3, std::string(4'096, 'm')});
  CHECK(must(consumer.position(t0)) == 3);
}

TEST_CASE(
    "a commit that may not be is refused as a whole: beyond the end, negative, unknown partition, too much "
    "metadata") {
  OpenedEngine opened(2);
  append_batch(opened.engine, t0, {.records = 5});
  auto consumer = of_group(opened.engine);
  must(consumer.commit_sync({{t0, {.offset = 1}}}));
  auto beyond = consumer.commit_sync({{t0, {.offset = 6}}, {t1, {.offset = 0}}});
  CHECK(code_of(beyond) == Errc::invalid_argument);
  CHECK(says(message_of(beyond), {"offset 6 of t-0", "ends at 5"}));
  CHECK(code_of(consumer.commit_sync({{t0, {.offset = -1}}})) == Errc::invalid_argument);
  CHECK(code_of(consumer.commit_sync({{t0, {.offset = 2}}, {{"u", 0}, {.offset = 0}}})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(consumer.commit_sync({{t0, {.offset = 2, .metadata = std::string(4'097, 'm')}}})) ==
        Errc::offset_metadata_too_large);
  CHECK(must(consumer.committed(t0))->offset == 1);
  CHECK_FALSE(must(consumer.committed(t1)));
  must(consumer.commit_sync(TopicPartitionOffsets{}));
}

TEST_CASE("without a group nothing is committed; a read-only engine says that it is one") {
  TempDir temp;
  {
    auto engine = open_engine(temp / "data");
    create_topic(engine, "t", 2);
    append_batch(engine, t0);
    auto groupless = of_group(engine, "");
    CHECK(code_of(groupless.commit_sync({{t0, {.offset = 1}}})) == Errc::invalid_state);
    CHECK(code_of(groupless.committed(t0)) == Errc::invalid_state);
    must(of_group(engine).commit_sync({{t0, {.offset = 1}}}));
  }
  auto engine = open_engine(temp / "data", {.mode = OpenMode::read_only});
  auto consumer = of_group(engine);
  CHECK(must(consumer.committed(t0))->offset == 1);
  CHECK(code_of(consumer.commit_sync()) == Errc::read_only);
}

TEST_CASE("offsets by time are found per partition, assigned or not") {
  OpenedEngine opened(2);
  append_batch(opened.engine, t0, {.records = 5, .timestamp_ms = 100});
  append_batch(opened.engine, t1, {.records = 5, .timestamp_ms = 200});
  auto consumer = must(opened.engine.consumer());
  const auto found = must(consumer.offsets_for_times({{t0, at_ms(102)}, {t1, at_ms(300)}}));
  CHECK(found.at(t0) == OffsetAndTimestamp{2, at_ms(102)});
  CHECK_FALSE(found.at(t1));
  CHECK(code_of(consumer.offsets_for_times({{t0, at_ms(-1)}})) == Errc::invalid_argument);
  CHECK(code_of(consumer.offsets_for_times({{{"u", 0}, at_ms(0)}})) == Errc::unknown_topic_or_partition);
}

TEST_CASE("beginning, end and lag") {
  OpenedEngine opened(2);
  append_batch(opened.engine, t0, {.records = 10});
  must(opened.engine.admin().delete_records(t0, 4));
  auto consumer = must(opened.engine.consumer({.max_poll_records = 2}));
  CHECK(must(consumer.beginning_offset(t0)) == 4);
  CHECK(must(consumer.end_offset(t0)) == 10);
  CHECK(code_of(consumer.beginning_offset({"u", 0})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(consumer.end_offset({"t", 5})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(consumer.lag(t0)) == Errc::invalid_state);
  must(consumer.assign({t0}));
  CHECK(must(consumer.lag(t0)) == 6);
  CHECK(must(consumer.poll(no_wait)).count() == 2);
  CHECK(must(consumer.lag(t0)) == 4);
  drain(consumer);
  CHECK(must(consumer.lag(t0)) == 0);
}

TEST_CASE("a read-only engine beside the writer sees ends and times as they are now") {
  WriterProcess writer;
  const auto engine = open_engine(writer.directory(), {.mode = OpenMode::read_only});
  auto consumer = of_group(engine);
  CHECK(must(consumer.end_offset(t0)) == 0);
  writer.append({.records = 3, .timestamp_ms = 100});
  CHECK(must(consumer.end_offset(t0)) == 3);
  CHECK(must(consumer.lag(t0)) == 3);
  CHECK(must(consumer.offsets_for_times({{t0, at_ms(101)}})).at(t0) == OffsetAndTimestamp{1, at_ms(101)});
  writer.append({.records = 3, .timestamp_ms = 200});
  CHECK(drain(consumer).size() == 6);
}

}  // namespace
}  // namespace seriatim::test
