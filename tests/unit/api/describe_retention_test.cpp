// `Admin::describe_retention`: how far groups have read, and what is kept for them.
#include <seriatim/admin.hpp>

#include <doctest/doctest.h>

#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

// Two records a segment; the last segment has two as well.
struct Kept {
  explicit Kept(ConfigMap config) {
    config["segment.bytes"] = "1024";
    create_topic(engine, "t", 2, std::move(config));
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = 0; i < 6; ++i)
      must(producer.send_sync({.topic = "t", .value = std::string(400, 'x'), .partition = 0}));
  }
  void commit(const std::string& group, Offset offset) const {
    must(engine.admin().alter_group_offsets(group, {{t0, {.offset = offset}}}));
  }
  std::vector<PartitionRetention> describe() const { return must(engine.admin().describe_retention("t")); }

  TempDir directory;
  Engine engine = open_engine(directory / "data");
};

}  // namespace

TEST_CASE("a topic that names no groups has nothing to describe") {
  const Kept f({});
  CHECK(f.describe().empty());
  CHECK(code_of(f.engine.admin().describe_retention("no")) == Errc::unknown_topic_or_partition);
}

TEST_CASE("the slowest group of each setting is told, partition by partition") {
  const Kept f({{"retention.consumed.groups", "a,b"}, {"retention.unread.groups", "c"}});
  f.commit("a", 5);
  f.commit("b", 3);
  const auto partitions = f.describe();
  REQUIRE(partitions.size() == 2);
  CHECK(partitions[0].consumed->group_id == "b");
  CHECK(partitions[0].consumed->read_to == 3);
  CHECK(partitions[0].unread->group_id == "c");
  CHECK(partitions[0].unread->read_to == 0);
  CHECK(partitions[1].partition == 1);
  CHECK(partitions[1].consumed->group_id == "a");
  CHECK(partitions[1].consumed->read_to == 0);
  const TopicDescription topic = must(f.engine.admin().describe_topic("t"));
  CHECK(topic.overrides.at("retention.consumed.groups") == "a,b");
  CHECK(topic.config.retention_unread_groups == std::vector<std::string>{"c"});
}

TEST_CASE("the bytes that a group keeps are those that retention would delete without it") {
  const Kept f({{"retention.unread.groups", "c"}, {"retention.ms", "-1"}});
  CHECK_FALSE(f.describe()[0].consumed);
  CHECK(f.describe()[0].held_back_bytes == 0);
  must(f.engine.admin().alter_config("t", {{"retention.bytes", "0"}}));
  const std::uint64_t all = must(f.engine.admin().describe_topic("t")).partitions[0].size_bytes;
  CHECK(f.describe()[0].held_back_bytes == all);
  f.commit("c", 2);
  CHECK(f.describe()[0].held_back_bytes == all - all / 3);
  const std::uint64_t kept = f.describe()[0].held_back_bytes;
  must(f.engine.admin().apply_retention("t"));
  CHECK(f.describe()[0].held_back_bytes == kept);
  f.commit("c", 6);
  CHECK(f.describe()[0].held_back_bytes == 0);
}

TEST_CASE("another process is told the same, and a damaged partition hides no other") {
  TempDir copies;
  const Kept f({{"retention.unread.groups", "c"}, {"retention.bytes", "0"}});
  f.commit("c", 4);
  const std::uint64_t kept = f.describe()[0].held_back_bytes;
  CHECK(kept > 0);
  must(seriatim::detail::EngineImpl::of(f.engine)->checkpointer->store_commits());
  const std::string copy = copy_of(f.engine, copies);
  const auto described =
      must(open_engine(copy, {.mode = OpenMode::read_only}).admin().describe_retention("t"));
  CHECK(described[0].unread->read_to == 4);
  CHECK(described[0].held_back_bytes == kept);
}

}  // namespace seriatim::test
