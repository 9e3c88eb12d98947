#include "group/offset_store.hpp"

#include <doctest/doctest.h>

#include "support/gathered_offsets.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using group::OffsetStore;
using group::PositionCommit;

constexpr catalog::Id topic_id_of(unsigned char first) {
  catalog::Id id{};
  id[0] = std::byte{first};
  return id;
}

PositionCommit position(const char* topic, unsigned char id, Offset offset) {
  return {{topic, 0}, topic_id_of(id), {.offset = offset, .metadata = "m", .commit_time_ms = 7}};
}

group::IsCurrentTopic topics_of(const std::map<std::string, unsigned char>& known) {
  return [known](const std::string& name, const catalog::Id& id) {
    const auto found = known.find(name);
    return found != known.end() && topic_id_of(found->second) == id;
  };
}

struct Store {
  TempDir dir;
  std::unique_ptr<journal::Journal> journal = must(
      journal::Journal::open({.directory = dir / "journal", .incarnation = 1, .file_bytes = 64U << 10}, {}));
  OffsetStore offsets;
  std::uint64_t commit(const char* group, const std::vector<PositionCommit>& commits) {
    return must(offsets.commit(*journal, group, commits));
  }
  GatheredOffsets gather(const group::IsCurrentTopic& topics) {
    catalog::TableWrites gathered;
    offsets.gather(topics, gathered);
    return offsets_in(gathered);
  }
};

TEST_CASE("the newest position is found, of its own group, topic and id") {
  Store store;
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  store.commit("g", {position("t", 1, 4)});
  store.commit("h", {position("t", 1, 9)});
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 4);
  CHECK(store.offsets.find("h", {"t", 0}, topic_id_of(1))->offset == 9);
  CHECK_FALSE(store.offsets.find("g", {"t", 0}, topic_id_of(3)));  // another topic of that name
  CHECK_FALSE(store.offsets.find("g", {"t", 1}, topic_id_of(1)));
  CHECK_FALSE(store.offsets.find("i", {"t", 0}, topic_id_of(1)));
  CHECK(store.offsets.groups() == std::vector<std::string>{"g", "h"});
  const auto group = store.offsets.group("g", topics_of({{"t", 1}, {"u", 2}}));
  REQUIRE(group.size() == 2);
  CHECK(group.at({"u", 0}).committed.offset == 6);
}

TEST_CASE("a position of a topic that was deleted does not take the place of one of its successor") {
  Store store;
  store.commit("g", {position("t", 2, 5)});
  // A transaction that knew the older topic is committed later.
  store.offsets.enter("g", {position("t", 1, 9)}, 7);
  REQUIRE(store.offsets.find("g", {"t", 0}, topic_id_of(2)));
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(2))->offset == 5);
  CHECK(store.offsets.group("g", topics_of({{"t", 2}})).at({"t", 0}).committed.offset == 5);
  CHECK(store.gather(topics_of({{"t", 2}})).offsets.at("g").size() == 1);
}

TEST_CASE("what was stored is forgotten, what came after it is not") {
  Store store;
  const auto topics = topics_of({{"t", 1}, {"u", 2}});
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  CHECK(store.gather(topics).offsets.at("g").size() == 2);
  store.commit("g", {position("t", 1, 8)});
  CHECK(store.offsets.has_changes());
  store.offsets.stored(1);
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 8);
  CHECK_FALSE(store.offsets.find("g", {"u", 0}, topic_id_of(2)));
  CHECK(store.gather(topics).offsets.at("g").size() == 1);
  store.offsets.stored(2);
  CHECK(store.offsets.empty());
}

TEST_CASE("what the catalog has is not told again, and kept until no earlier decision may come") {
  Store store;
  const auto topics = topics_of({{"t", 1}, {"u", 2}});
  store.commit("g", {position("t", 1, 5)});
  store.commit("g", {position("u", 2, 6)});
  CHECK(store.gather(topics).offsets.at("g").size() == 2);
  CHECK(store.gather(topics).offsets.at("g").size() == 2);  // Nobody has stored it.
  store.offsets.stored(0);
  CHECK_FALSE(store.offsets.has_changes());
  store.offsets.enter("g", {position("u", 2, 3)}, 1);
  CHECK(store.gather(topics).offsets.empty());
  CHECK(store.offsets.find("g", {"u", 0}, topic_id_of(2))->offset == 6);
  store.commit("g", {position("t", 1, 7)});
  CHECK(store.gather(topics).offsets.at("g").size() == 1);
}

TEST_CASE("a group that began again is not forgotten by a checkpoint after the one that told its positions") {
  Store store;
  const auto topics = topics_of({{"t", 1}});
  store.commit("g", {position("t", 1, 5)});
  must(store.offsets.forget_group(*store.journal, "g"));
  store.commit("g", {position("t", 1, 6)});
  auto first = store.gather(topics);
  CHECK(first.forgotten_groups == std::vector<std::string>{"g"});
  CHECK(first.offsets.at("g")[0].committed.offset == 6);
  store.offsets.stored(0);
  CHECK(store.gather(topics).forgotten_groups.empty());
  must(store.offsets.forget_group(*store.journal, "g"));
  // The positions that the catalog has by then are not told with the end of the group.
  const auto second = store.gather(topics);
  CHECK(second.forgotten_groups == std::vector<std::string>{"g"});
  CHECK(second.offsets.empty());
}

TEST_CASE("a group of many positions is found whole") {
  Store store;
  std::vector<PositionCommit> commits;
  for (PartitionId i = 0; i < 1'000; ++i)
    commits.push_back({{"t", i}, topic_id_of(1), {.offset = i, .metadata = {}, .commit_time_ms = 7}});
  store.commit("g", commits);
  store.commit("f", {position("t", 1, 1)});
  store.commit("h", {position("t", 1, 1)});
  const auto group = store.offsets.group("g", topics_of({{"t", 1}}));
  REQUIRE(group.size() == 1'000);
  CHECK(group.rbegin()->second.committed.offset == 999);
  CHECK(store.offsets.groups() == std::vector<std::string>{"f", "g", "h"});
  must(store.offsets.forget_group(*store.journal, "g"));
  CHECK(store.offsets.groups() == std::vector<std::string>{"f", "h"});
}

TEST_CASE("what an earlier frame says does not replace what a later one has said") {
  Store store;
  store.offsets.enter("g", {position("t", 1, 5)}, 9);
  store.offsets.enter("g", {position("t", 1, 4)}, 7);
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 5);
  store.offsets.enter("g", {position("t", 1, 6), position("t", 1, 3)}, 10);
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 3);
}

TEST_CASE("a forgotten group has what was committed since, whatever earlier frames say later") {
  Store store;
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  store.commit("h", {position("t", 1, 7)});
  const std::uint64_t forgotten = must(store.offsets.forget_group(*store.journal, "g"));
  CHECK(store.offsets.is_forgotten("g"));
  CHECK_FALSE(store.offsets.is_forgotten("h"));
  CHECK(store.offsets.forgotten() == std::vector<std::string>{"g"});
  CHECK(store.offsets.groups() == std::vector<std::string>{"h"});
  CHECK(store.offsets.newest_lsn() == forgotten);
  store.offsets.enter("g", {position("t", 1, 8)}, forgotten - 1);  // a decision that is applied late
  CHECK_FALSE(store.offsets.find("g", {"t", 0}, topic_id_of(1)));
  store.commit("g", {position("t", 1, 9)});
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 9);
  CHECK(store.offsets.is_forgotten("g"));  // what the catalog has, still
  static_cast<void>(store.gather(topics_of({{"t", 1}})));
  store.offsets.stored(forgotten - 1);
  CHECK(store.offsets.is_forgotten("g"));
  store.offsets.stored(forgotten);
  CHECK_FALSE(store.offsets.is_forgotten("g"));
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 9);
}

TEST_CASE("a forgotten position is told as such, and to the catalog once, until it is committed again") {
  Store store;
  const auto topics = topics_of({{"t", 1}, {"u", 2}});
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  const std::uint64_t lsn = store.commit("g", {position("t", 1, group::forgotten_position)});
  store.offsets.enter("g", {position("t", 1, 8)}, lsn - 1);  // a decision that is applied late
  REQUIRE(store.offsets.find("g", {"t", 0}, topic_id_of(1)));
  CHECK(group::is_forgotten(*store.offsets.find("g", {"t", 0}, topic_id_of(1))));
  CHECK(store.offsets.groups() == std::vector<std::string>{"g"});
  CHECK(store.offsets.thinned_groups() == std::vector<std::string>{"g"});
  const auto gathered = store.gather(topics);
  CHECK(gathered.offsets.at("g").size() == 1);
  REQUIRE(gathered.forgotten_offsets.at("g").size() == 1);
  CHECK(gathered.forgotten_offsets.at("g")[0].topic_id == topic_id_of(1));
  store.offsets.stored(0);
  CHECK(store.gather(topics).forgotten_offsets.empty());
  store.commit("g", {position("t", 1, 2)});
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 2);
  CHECK(store.offsets.thinned_groups().empty());
  CHECK(store.gather(topics).forgotten_offsets.empty());
}

TEST_CASE("a position that was forgotten before its group was is not told any more") {
  Store store;
  const auto topics = topics_of({{"t", 1}});
  store.commit("g", {position("t", 1, group::forgotten_position)});
  must(store.offsets.forget_group(*store.journal, "g"));
  CHECK(store.offsets.thinned_groups().empty());
  CHECK_FALSE(store.offsets.find("g", {"t", 0}, topic_id_of(1)));
  CHECK(store.gather(topics).forgotten_offsets.empty());
}

TEST_CASE("a deleted topic takes its positions with it") {
  Store store;
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  store.offsets.forget_topic(topic_id_of(1));
  CHECK_FALSE(store.offsets.find("g", {"t", 0}, topic_id_of(1)));
  CHECK(store.offsets.find("g", {"u", 0}, topic_id_of(2))->offset == 6);
}

TEST_CASE("a commit that came behind the deletion of its topic does not reach another one of that name") {
  Store store;
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  const auto topics = topics_of({{"t", 3}, {"u", 2}});
  const auto gathered = store.gather(topics);
  REQUIRE(gathered.offsets.at("g").size() == 1);
  CHECK(gathered.offsets.at("g")[0].topic_id == topic_id_of(2));
  CHECK(store.offsets.group("g", topics).count({"t", 0}) == 0);
}

TEST_CASE("a commit that the journal refuses is not remembered") {
  Store store;
  must(store.journal->close());
  CHECK(code_of(store.offsets.commit(*store.journal, "g", {position("t", 1, 5)})) == Errc::closed);
  CHECK(store.offsets.empty());
}

struct SeenStore : Store {
  group::IsCurrentTopic topics = topics_of({{"t", 1}, {"u", 2}});
  // From a look at `removals` and what was seen then.
  bool forget(const group::SeenPositions& seen, std::uint64_t removals) {
    return must(offsets.forget_unchanged(*journal, "g", seen, removals, 9)).has_value();
  }
  void checkpoint() {
    gather(topics);
    offsets.stored(offsets.newest_lsn());
  }
};

TEST_CASE("positions that stayed as they were seen are forgotten in one frame") {
  SeenStore store;
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  const auto removals = store.offsets.removals();
  const auto seen = store.offsets.group("g", store.topics);
  store.commit("h", {position("t", 1, 7)});
  REQUIRE(store.forget(seen, removals));
  CHECK(group::is_forgotten(store.offsets.group("g", store.topics).at({"t", 0}).committed));
  CHECK(group::is_forgotten(store.offsets.group("g", store.topics).at({"u", 0}).committed));
  CHECK(store.offsets.find("h", {"t", 0}, topic_id_of(1))->offset == 7);
}

TEST_CASE("a position that was committed since it was seen is kept, and its neighbours with it") {
  SeenStore store;
  store.commit("g", {position("t", 1, 5), position("u", 2, 6)});
  const auto removals = store.offsets.removals();
  const auto seen = store.offsets.group("g", store.topics);
  store.commit("g", {position("u", 2, 6)});
  CHECK_FALSE(store.forget(seen, removals));
  CHECK(store.offsets.find("g", {"t", 0}, topic_id_of(1))->offset == 5);
  CHECK(store.offsets.find("g", {"u", 0}, topic_id_of(2))->offset == 6);
}

TEST_CASE("a position that the catalog had when it was seen is kept if a checkpoint hides a later commit") {
  SeenStore store;
  const group::SeenPositions in_the_catalog{
      {{"t", 0}, {.committed = {.offset = 5}, .topic_id = topic_id_of(1)}}};
  const auto removals = store.offsets.removals();
  CHECK(store.forget(in_the_catalog, removals));
  SeenStore other;
  store.commit("g", {position("t", 1, 8)});
  CHECK_FALSE(store.forget(in_the_catalog, removals));
  other.commit("g", {position("t", 1, 8)});
  other.checkpoint();  // The commit is in the catalog, and nothing here says so any more.
  CHECK_FALSE(other.offsets.find("g", {"t", 0}, topic_id_of(1)));
  CHECK_FALSE(other.forget(in_the_catalog, removals));
}

}  // namespace
}  // namespace seriatim::test
