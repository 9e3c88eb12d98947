#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::ChildProcess;
using test::code_of;
using test::create_topic;
using test::must;
using test::open_engine;
using test::OpenedEngine;
using test::read_values;
using test::TempDir;

Timestamp at_ms(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }

TEST_CASE("delete_records moves the log start, within its bounds only") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  Producer producer = must(opened.engine.producer());
  for (const char* value : {"a", "b", "c", "d"}) must(producer.send_sync({.topic = "t", .value = value}));
  CHECK(code_of(admin.delete_records({"t", 0}, 5)) == Errc::offset_out_of_range);
  CHECK(code_of(admin.delete_records({"t", 0}, -2)) == Errc::offset_out_of_range);
  CHECK(code_of(admin.delete_records({"t", 1}, 0)) == Errc::unknown_topic_or_partition);
  CHECK(must(admin.delete_records({"t", 0}, 2)) == 2);
  CHECK(must(admin.delete_records({"t", 0}, 1)) == 2);
  CHECK(read_values(opened.engine, "t") == std::vector<std::string>{"c", "d"});
  CHECK(must(admin.delete_records({"t", 0}, -1)) == 4);
  CHECK(read_values(opened.engine, "t").empty());
  CHECK(must(producer.send_sync({.topic = "t", .value = "e"})).offset == 4);

  create_topic(opened.engine, "table", 1, {{"cleanup.policy", "compact"}});
  CHECK(code_of(admin.delete_records({"table", 0}, -1)) == Errc::policy_violation);
}

TEST_CASE("deleted records stay deleted after kill -9") {
  const TempDir directory;
  const std::string path = directory / "data";
  ChildProcess writer([&](const ChildProcess::Voice& voice) {
    const Engine engine = open_engine(path);
    create_topic(engine, "t");
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (const char* value : {"a", "b", "c"}) must(producer.send_sync({.topic = "t", .value = value}));
    must(engine.admin().delete_records({"t", 0}, 2));
    voice.say("+");
    voice.sleep_until_killed();
  });
  REQUIRE(writer.hear(1) == "+");
  writer.kill();
  const Engine engine = open_engine(path);
  CHECK(read_values(engine, "t") == std::vector<std::string>{"c"});
}

TEST_CASE("offsets are found by kind and by time") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  Producer producer = must(opened.engine.producer());
  CHECK(must(admin.list_offset({"t", 0}, OffsetSpec::max_timestamp)) == -1);
  for (const std::int64_t ms : {1000, 3000, 2000})
    must(producer.send_sync({.topic = "t", .value = "x", .timestamp = at_ms(ms)}));
  CHECK(must(admin.list_offset({"t", 0}, OffsetSpec::earliest)) == 0);
  CHECK(must(admin.list_offset({"t", 0}, OffsetSpec::latest)) == 3);
  CHECK(must(admin.list_offset({"t", 0}, OffsetSpec::max_timestamp)) == 1);
  CHECK(must(admin.offset_for_time({"t", 0}, at_ms(1500))) == OffsetAndTimestamp{1, at_ms(3000)});
  CHECK_FALSE(must(admin.offset_for_time({"t", 0}, at_ms(3001))).has_value());
  CHECK(code_of(admin.offset_for_time({"t", 0}, at_ms(-1))) == Errc::invalid_argument);
  CHECK(code_of(admin.list_offset({"no", 0}, OffsetSpec::latest)) == Errc::unknown_topic_or_partition);
}

TEST_CASE("a retention pass deletes what is over the limit, in whole segments") {
  const OpenedEngine opened(1, {{"segment.bytes", "4096"}, {"retention.bytes", "5000"}});
  Producer producer = must(opened.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 20; ++i) must(producer.send_sync({.topic = "t", .value = std::string(1000, 'x')}));
  const MaintenanceResult result = must(opened.engine.admin().apply_retention("t"));
  CHECK(result.deleted_segments > 0);
  CHECK(result.deleted_bytes > 0);
  const PartitionDescription left = must(opened.engine.admin().describe_topic("t")).partitions[0];
  CHECK(left.log_start_offset > 0);
  CHECK(left.log_end_offset == 20);
  CHECK(left.size_bytes < 5000 + 4096);
  CHECK(opened.engine.metrics().deleted_segments == result.deleted_segments);
  CHECK(code_of(opened.engine.admin().apply_retention("no")) == Errc::unknown_topic_or_partition);
}

TEST_CASE("a compaction pass keeps the newest record of each key, also over a reopen") {
  const TempDir directory;
  const std::string path = directory / "data";
  {
    const Engine engine = open_engine(path);
    create_topic(engine, "plain");
    create_topic(engine, "table", 1, {{"cleanup.policy", "compact"}});
    CHECK(code_of(engine.admin().compact("plain", true)) == Errc::policy_violation);
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (const char* value : {"1", "2", "3"}) {
      for (const char* key : {"a", "b"})
        must(producer.send_sync({.topic = "table", .key = key, .value = value}));
    }
    const MaintenanceResult result = must(engine.admin().compact("table", true));
    CHECK(result.removed_records == 4);
    CHECK(read_values(engine, "table") == std::vector<std::string>{"3", "3"});
  }
  const Engine engine = open_engine(path);
  CHECK(read_values(engine, "table") == std::vector<std::string>{"3", "3"});
}

TEST_CASE("a group's offsets are stored, listed, changed and forgotten") {
  const OpenedEngine opened;
  const Admin admin = opened.engine.admin();
  Producer producer = must(opened.engine.producer());
  for (int i = 0; i < 3; ++i) must(producer.send_sync({.topic = "t", .value = "x"}));
  must(admin.alter_group_offsets("billing", {{{"t", 0}, {2, "note"}}}));
  must(admin.alter_group_offsets("audit", {{{"t", 0}, {0, ""}}}));
  CHECK(must(admin.list_groups()) == std::vector<std::string>{"audit", "billing"});
  const auto offsets = must(admin.group_offsets("billing"));
  REQUIRE(offsets.size() == 1);
  CHECK(offsets[0].committed == OffsetAndMetadata{2, "note"});
  CHECK(offsets[0].log_end_offset == 3);
  CHECK(opened.engine.metrics().offset_commits == 2);

  CHECK(code_of(admin.alter_group_offsets("billing", {{{"t", 0}, {4, ""}}})) == Errc::invalid_argument);
  CHECK(code_of(admin.alter_group_offsets("billing", {{{"t", 0}, {-1, ""}}})) == Errc::invalid_argument);
  CHECK(code_of(admin.alter_group_offsets("billing", {{{"no", 0}, {0, ""}}})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(admin.alter_group_offsets("billing", {{{"t", 0}, {0, std::string(4097, 'x')}}})) ==
        Errc::offset_metadata_too_large);
  CHECK(must(admin.group_offsets("billing"))[0].committed.offset == 2);

  must(admin.delete_group("billing"));
  must(admin.delete_group("billing"));
  CHECK(must(admin.list_groups()) == std::vector<std::string>{"audit"});
  CHECK(must(admin.group_offsets("billing")).empty());
  must(admin.delete_topic("t"));
  CHECK(must(admin.list_groups()).empty());
}

}  // namespace
}  // namespace seriatim
