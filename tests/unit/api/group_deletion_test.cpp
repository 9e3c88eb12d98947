// A group that was deleted stays deleted: the deletion is a fact of the journal like the positions it
// forgets.
#include <doctest/doctest.h>

#include "support/child_process.hpp"
#include "support/failing_vfs.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using detail::EngineImpl;
using Names = std::vector<std::string>;

struct Grouped {
  TempDir directory;
  std::string path = directory / "data";
  Engine engine = open_engine(path);
  Admin admin = engine.admin();
  EngineImpl& impl = *EngineImpl::of(engine);

  Grouped() {
    create_topic(engine, "t");
    Producer producer = must(engine.producer());
    for (int i = 0; i < 5; ++i) must(producer.send_sync({.topic = "t", .value = "v"}));
  }
  void commit(const std::string& group, Offset offset) const {
    must(admin.alter_group_offsets(group, {{t0, {.offset = offset}}}));
  }
  // From here on no checkpoint covers anything: a decision is on its way into the journal for ever.
  void hold_checkpoints_back() const {
    must(impl.coordinator->open("late", std::chrono::minutes(1)))->unsettled_lsn = 1;
  }
};

Names groups_in(const std::string& path) { return must(open_engine(path).admin().list_groups()); }

// The position that the group has committed in a copy, as a crash leaves it; -1: nothing.
Offset position_after_crash(const Engine& engine, const std::string& group) {
  const TempDir copies;
  const Engine after = open_engine(copy_of(engine, copies));
  const auto offsets = must(after.admin().group_offsets(group));
  return offsets.empty() ? -1 : offsets[0].committed.offset;
}

}  // namespace

TEST_CASE("a deleted group is gone at once and after a crash, while no checkpoint can cover its positions") {
  const Grouped made;
  made.hold_checkpoints_back();
  made.commit("g", 3);
  must(made.impl.checkpointer->checkpoint());  // In the catalog, and in the journal still.
  must(made.admin.delete_group("g"));
  const auto is_gone = [&] {
    CHECK(must(made.admin.list_groups()).empty());
    CHECK(must(made.admin.group_offsets("g")).empty());
    CHECK_FALSE(must(must(made.engine.consumer({.group_id = "g"})).committed(t0)).has_value());
    CHECK(position_after_crash(made.engine, "g") == -1);
  };
  is_gone();
  must(made.impl.checkpointer->store_commits());
  is_gone();
  must(made.impl.checkpointer->checkpoint());
  is_gone();
}

TEST_CASE("a group that begins again after its deletion has what it committed since, and nothing else") {
  const Grouped made;
  create_topic(made.engine, "u");
  must(made.admin.alter_group_offsets("g", {{{"u", 0}, {.offset = 0}}}));
  made.commit("g", 3);
  made.hold_checkpoints_back();
  must(made.admin.delete_group("g"));
  made.commit("g", 1);
  for (int round = 0; round < 3; ++round) {
    CHECK(must(made.admin.list_groups()) == Names{"g"});
    CHECK(must(made.admin.group_offsets("g")).size() == 1);
    CHECK(position_after_crash(made.engine, "g") == 1);
    must(round == 0 ? made.impl.checkpointer->store_commits() : made.impl.checkpointer->checkpoint());
  }
  must(made.admin.delete_group("g"));
  CHECK(position_after_crash(made.engine, "g") == -1);
}

TEST_CASE("a group that began again keeps what the catalog was shown") {
  const Grouped made;
  made.hold_checkpoints_back();
  made.commit("g", 3);
  must(made.admin.delete_group("g"));
  made.commit("g", 1);
  for (const char* other : {"h", "i", "j"}) {
    must(other[0] == 'i' ? made.impl.checkpointer->checkpoint() : made.impl.checkpointer->store_commits());
    const auto shown = must(made.impl.catalog->committed("g", t0));
    REQUIRE(shown);
    CHECK(shown->offset == 1);
    made.commit(other, 2);
  }
}

TEST_CASE("a deleted group stays deleted over a clean close, and other groups are left alone") {
  Grouped made;
  made.commit("g", 3);
  made.commit("ga", 2);
  made.commit("f", 1);
  must(made.admin.delete_group("g"));
  must(made.engine.close());
  CHECK(groups_in(made.path) == Names{"f", "ga"});
}

TEST_CASE("a commit of a transaction before the deletion does not bring the group back") {
  const Grouped made;
  auto sender = must(made.engine.transactional_producer({.transactional_id = "x"}));
  auto transaction = must(sender.begin());
  must(transaction.send({.topic = "t", .value = "w"}));
  must(transaction.send_offsets({{t0, {.offset = 2}}}, {.group_id = "g"}));
  must(transaction.commit());
  must(made.admin.delete_group("g"));
  CHECK(must(made.admin.group_offsets("g")).empty());
  CHECK(position_after_crash(made.engine, "g") == -1);
  must(made.impl.checkpointer->checkpoint());
  CHECK(position_after_crash(made.engine, "g") == -1);
}

TEST_CASE("a deletion that is stopped at any step is made or not, and made for good once it has returned") {
  bool was_made = false;
  for (std::int64_t steps = 0; !was_made; ++steps) {
    CAPTURE(steps);
    REQUIRE(steps < 100);
    const TempDir directory;
    FailingVfs vfs;
    Engine engine = open_engine_with(directory / "data", vfs, base::system_clock());
    create_topic(engine, "t");
    must(engine.admin().alter_group_offsets("g", {{t0, {.offset = 0}}}));
    vfs.fail_after(steps);
    was_made = engine.admin().delete_group("g").ok();
    const Offset left = position_after_crash(engine, "g");
    if (was_made) CHECK(left == -1);
    vfs.heal();
    static_cast<void>(engine.close());
    const Names names = groups_in(directory / "data");
    CHECK((names.empty() || (!was_made && names == Names{"g"})));
  }
}

TEST_CASE("a deletion in one process is seen by another when positions are, before any checkpoint") {
  const Grouped made;
  made.commit("g", 3);
  must(made.impl.checkpointer->store_commits());
  const std::string path = made.path;
  const auto seen = [&path] {
    ChildProcess child([&path](const ChildProcess::Voice& voice) {
      const auto reader = Engine::open(path, {.mode = OpenMode::read_only});
      const auto groups = reader ? reader->admin().list_groups() : Result<Names>(reader.error());
      voice.say(groups ? std::to_string(groups->size()) : groups.error().message());
    });
    return child.hear_all();
  };
  CHECK(seen() == "1");
  must(made.admin.delete_group("g"));
  must(made.impl.checkpointer->store_commits());
  CHECK(seen() == "0");
}

}  // namespace seriatim::test
