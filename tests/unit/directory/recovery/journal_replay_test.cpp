#include "directory/recovery/journal_replay.hpp"

#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using directory::JournalReplay;
using directory::OffsetStore;

constexpr catalog::Id id_of(unsigned char first) {
  catalog::Id id{};
  id[0] = std::byte{first};
  return id;
}

directory::TopicMap one_topic() {
  auto topic = std::make_shared<directory::Topic>();
  topic->name = "t";
  topic->id = id_of(1);
  topic->partitions.resize(2);
  directory::TopicMap map;
  map.emplace("t", std::move(topic));
  return map;
}

journal::FramePlace at(std::uint64_t lsn) { return {.lsn = lsn, .path = "1.journal", .position = 0}; }

TEST_CASE("batches come out per partition, in order, and those of a topic that is gone do not") {
  JournalReplay replay(one_topic());
  CHECK(replay.empty());
  const auto batch = [&](std::uint64_t lsn, unsigned char id, PartitionId partition, const char* bytes) {
    must(replay.batch(
        at(lsn),
        {.place = {.topic_id = id_of(id), .partition = partition, .base_offset = static_cast<Offset>(lsn)},
         .batch = base::as_bytes(std::string_view(bytes))}));
  };
  batch(1, 1, 0, "a");
  batch(2, 1, 1, "b");
  batch(3, 2, 0, "another topic");
  batch(4, 1, 2, "no such partition");
  batch(5, 1, 0, "c");
  CHECK_FALSE(replay.empty());
  const auto first = replay.take_batches(id_of(1), 0);
  REQUIRE(first.size() == 2);
  CHECK(base::as_text(first[0].bytes) == "a");
  CHECK(base::as_text(first[1].bytes) == "c");
  CHECK(first[1].place.base_offset == 5);
  CHECK(replay.take_batches(id_of(1), 0).empty());
  CHECK(replay.take_batches(id_of(1), 1).size() == 1);
  CHECK(replay.take_batches(id_of(2), 0).empty());
}

TEST_CASE("a forgotten group is restored in its place among the commits, and taken back like one") {
  for (const bool is_taken_back : {false, true}) {
    CAPTURE(is_taken_back);
    JournalReplay replay(one_topic());
    const auto commit = [&](std::uint64_t lsn, const char* group) {
      must(replay.committed_offsets(
          at(lsn), {.group = group, .offsets = {{.topic_id = id_of(1), .partition = 0, .offset = 5}}}));
    };
    commit(1, "g");
    commit(2, "h");
    must(replay.forgotten_group(at(3), {"g"}));
    must(replay.forgotten_group(at(4), {"i"}));
    commit(5, "i");
    CHECK_FALSE(replay.empty());
    if (is_taken_back) CHECK(replay.roll_back_from(3) == 3);
    OffsetStore store;
    replay.restore_commits(store);
    CHECK(store.is_forgotten("g") != is_taken_back);
    CHECK(store.groups() ==
          (is_taken_back ? std::vector<std::string>{"g", "h"} : std::vector<std::string>{"h", "i"}));
  }
}

TEST_CASE("committed offsets are restored in their order, those of a topic that is gone are not") {
  JournalReplay replay(one_topic());
  const auto commit = [&](std::uint64_t lsn, unsigned char id, Offset offset) {
    must(replay.committed_offsets(
        at(lsn), {.group = "g",
                  .commit_time_ms = 3,
                  .offsets = {{.topic_id = id_of(id), .partition = 0, .offset = offset, .metadata = "m"}}}));
  };
  commit(1, 1, 5);
  commit(2, 2, 7);
  commit(3, 1, 4);
  OffsetStore store;
  replay.restore_commits(store);
  CHECK(store.find("g", {"t", 0}, id_of(1)) ==
        catalog::CommittedOffset{.offset = 4, .metadata = "m", .commit_time_ms = 3});
  CHECK(store.group("g", one_topic()).size() == 1);
  CHECK(replay.empty());
}

TEST_CASE("where frames are lost a commit marker tells of its decision, unless that was taken back") {
  JournalReplay replay(one_topic());
  const auto decide = [&](std::uint64_t lsn, ProducerId id) {
    must(replay.decision(at(lsn), {.producer_id = id, .producer_epoch = 0, .next_epoch = 1}));
  };
  decide(1, 7);
  decide(2, 8);
  CHECK_FALSE(replay.is_decided(9, 1));
  CHECK_FALSE(replay.is_decided_by_marker(9, 1));
  replay.believe_markers();
  CHECK(replay.is_decided(9, 1));
  CHECK(replay.is_decided_by_marker(9, 1));
  CHECK_FALSE(replay.is_decided_by_marker(9, 2));
  // One that has a frame needs no marker to tell of it.
  CHECK(replay.is_decided(7, 1));
  CHECK_FALSE(replay.is_decided_by_marker(7, 1));
  replay.roll_back_from(2);
  CHECK_FALSE(replay.is_decided(8, 1));
  CHECK(replay.is_decided(7, 1));
}

TEST_CASE("what is taken back is no decision any more, and neither are the commits behind it") {
  JournalReplay replay(one_topic());
  const auto decide = [&](std::uint64_t lsn, ProducerEpoch epoch) {
    const std::vector<std::byte> key(1, std::byte{1});
    must(replay.decision(at(lsn), {.producer_id = 7,
                                   .producer_epoch = epoch,
                                   .next_epoch = static_cast<ProducerEpoch>(epoch + 1),
                                   .partitions = {{.topic_id = id_of(1), .partition = 1, .last_offset = 9}},
                                   .state = {{.name = "s", .key = key, .value = key}},
                                   .is_at_leader = true}));
  };
  const auto commit = [&](std::uint64_t lsn, Offset offset) {
    must(replay.committed_offsets(
        at(lsn), {.group = "g", .offsets = {{.topic_id = id_of(1), .partition = 0, .offset = offset}}}));
  };
  commit(1, 10);
  decide(2, 0);
  decide(3, 1);
  commit(4, 40);
  CHECK(replay.decisions()[1].is_at_leader);
  CHECK(replay.decisions()[1].partitions[0].last_offset == 9);
  CHECK(replay.roll_back_from(3) == 2);
  CHECK(replay.is_decided(7, 1));
  CHECK_FALSE(replay.is_decided(7, 2));
  CHECK_FALSE(replay.decisions()[0].was_rolled_back);
  CHECK(replay.decisions()[1].was_rolled_back);
  OffsetStore offsets;
  replay.restore_commits(offsets);
  CHECK(offsets.find("g", {"t", 0}, id_of(1))->offset == 10);
  directory::StateStore state;
  replay.restore_state(state);
  CHECK(state.gather().size() == 1);
}

}  // namespace
}  // namespace seriatim::test
