// An offset that was deleted from a group stays deleted: the deletion is a fact of the journal, in a frame of
// commits.
#include <doctest/doctest.h>

#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using detail::EngineImpl;

struct Thinned {
  TempDir directory;
  std::string path = directory / "data";
  Engine engine = open_engine(path);
  Admin admin = engine.admin();
  EngineImpl& impl = *EngineImpl::of(engine);

  Thinned() {
    create_topic(engine, "t", 2);
    Producer producer = must(engine.producer());
    for (int i = 0; i < 5; ++i) must(producer.send_sync({.topic = "t", .value = "v", .partition = 0}));
    must(admin.alter_group_offsets("g", {{t0, {.offset = 3}}, {t1, {.offset = 0}}}));
  }
  // From here on no checkpoint covers anything: a decision is on its way into the journal for ever.
  void hold_checkpoints_back() const {
    must(impl.coordinator->open("late", std::chrono::minutes(1)))->unsettled_lsn = 1;
  }
};

// The partitions of "t" of which the group has an offset.
std::vector<PartitionId> partitions_of(const Engine& engine) {
  std::vector<PartitionId> partitions;
  for (const GroupOffset& offset : must(engine.admin().group_offsets("g")))
    partitions.push_back(offset.topic_partition.partition);
  return partitions;
}

std::vector<PartitionId> partitions_after_crash(const Engine& engine) {
  const TempDir copies;
  return partitions_of(open_engine(copy_of(engine, copies)));
}

}  // namespace

TEST_CASE("deleted offsets are gone at once and after a crash, while no checkpoint can cover them") {
  const Thinned made;
  made.hold_checkpoints_back();
  must(made.impl.checkpointer->checkpoint());  // In the catalog, and in the journal still.
  must(made.admin.delete_group_offsets("g", {t0}));
  const auto is_gone = [&] {
    CHECK(partitions_of(made.engine) == std::vector<PartitionId>{1});
    CHECK_FALSE(must(must(made.engine.consumer({.group_id = "g"})).committed(t0)).has_value());
    CHECK(must(made.admin.list_groups()) == std::vector<std::string>{"g"});
    CHECK(partitions_after_crash(made.engine) == std::vector<PartitionId>{1});
  };
  is_gone();
  must(made.impl.checkpointer->store_commits());
  is_gone();
  must(made.impl.checkpointer->checkpoint());
  is_gone();
  must(made.admin.alter_group_offsets("g", {{t0, {.offset = 4}}}));
  CHECK(partitions_after_crash(made.engine) == std::vector<PartitionId>{0, 1});
}

TEST_CASE("a group is gone with its last offset, wherever that was stored") {
  const Thinned made;
  must(made.impl.checkpointer->checkpoint());
  must(made.admin.delete_group_offsets("g", {t1}));
  must(made.impl.checkpointer->store_commits());
  must(made.admin.delete_group_offsets("g", {t0, t1}));
  const auto is_gone = [&] {
    CHECK(must(made.admin.list_groups()).empty());
    CHECK(must(made.admin.group_lag("g")).empty());
    CHECK(partitions_after_crash(made.engine).empty());
  };
  is_gone();
  must(made.impl.checkpointer->store_commits());
  is_gone();
  must(made.impl.checkpointer->checkpoint());
  is_gone();
}

TEST_CASE("a commit of a transaction before the deletion does not bring the offset back") {
  const Thinned made;
  auto sender = must(made.engine.transactional_producer({.transactional_id = "x"}));
  auto transaction = must(sender.begin());
  must(transaction.send({.topic = "t", .value = "w"}));
  must(transaction.send_offsets({{t0, {.offset = 2}}}, {.group_id = "g"}));
  must(transaction.commit());
  must(made.admin.delete_group_offsets("g", {t0}));
  CHECK(partitions_of(made.engine) == std::vector<PartitionId>{1});
  CHECK(partitions_after_crash(made.engine) == std::vector<PartitionId>{1});
  must(made.impl.checkpointer->checkpoint());
  CHECK(partitions_after_crash(made.engine) == std::vector<PartitionId>{1});
}

TEST_CASE("deleting offsets changes all or nothing, and no group but the one named") {
  const Thinned made;
  must(made.admin.alter_group_offsets("h", {{t0, {.offset = 1}}}));
  CHECK(code_of(made.admin.delete_group_offsets("g", {t0, {"no", 0}})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(made.admin.delete_group_offsets("g", {t0, {"t", 2}})) == Errc::unknown_topic_or_partition);
  CHECK(code_of(made.admin.delete_group_offsets("", {t0})) == Errc::invalid_argument);
  CHECK(partitions_of(made.engine) == std::vector<PartitionId>{0, 1});
  must(made.admin.delete_group_offsets("g", {}));
  must(made.admin.delete_group_offsets("unknown", {t0}));
  CHECK(must(made.admin.list_groups()) == std::vector<std::string>{"g", "h"});
  must(made.admin.delete_group_offsets("g", {t0, t1}));
  CHECK(must(made.admin.list_groups()) == std::vector<std::string>{"h"});
  const TempDir copies;
  const Engine reader = open_engine(copy_of(made.engine, copies), {.mode = OpenMode::read_only});
  CHECK(code_of(reader.admin().delete_group_offsets("h", {t0})) == Errc::read_only);
}

TEST_CASE(
    "a deletion of offsets that is stopped at any step is made or not, and made for good once returned") {
  bool was_made = false;
  for (std::int64_t steps = 0; !was_made; ++steps) {
    CAPTURE(steps);
    REQUIRE(steps < 100);
    const TempDir directory;
    FailingVfs vfs;
    Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
    create_topic(engine, "t", 2);
    must(engine.admin().alter_group_offsets("g", {{t0, {.offset = 0}}, {t1, {.offset = 0}}}));
    vfs.fail_after(steps);
    was_made = engine.admin().delete_group_offsets("g", {t0, t1}).ok();
    const std::size_t left = partitions_after_crash(engine).size();
    CHECK((left == 0 || (left == 2 && !was_made)));
    vfs.heal();
    static_cast<void>(engine.close());
    const std::size_t kept = partitions_of(open_engine(directory / "data")).size();
    CHECK((kept == 0 || (kept == 2 && !was_made)));
  }
}

}  // namespace seriatim::test
