#include "directory/recovery/journal_replay.hpp"

#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using directory::JournalReplay;
using format::JournalFrameType;

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

/// Notes which frames it is given.
struct NotingFacts final : state::DurableFacts {
  std::vector<std::pair<std::uint64_t, JournalFrameType>> frames{};

  Result<> replay(const state::ReplayedFrame& frame) override {
    if (frame.payload.empty()) return Error(Errc::corrupt_metadata, "nothing in it");
    frames.emplace_back(frame.lsn, frame.type);
    return {};
  }
  bool has_changes() const override { return false; }
  void gather(catalog::TableWrites&) override {}
  void stored(std::uint64_t) noexcept override {}
};

journal::FramePlace at(std::uint64_t lsn) { return {.lsn = lsn, .path = "1.journal", .position = 0}; }

void give(JournalReplay& replay, std::uint64_t lsn, JournalFrameType type, std::string_view payload = "x") {
  must(replay.frame(at(lsn), {.fields = {.type = type, .lsn = lsn}, .payload = base::as_bytes(payload)}));
}

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

TEST_CASE("each kind of fact is given the frames that tell facts, in their order, and once") {
  JournalReplay replay(one_topic());
  give(replay, 1, JournalFrameType::batch);
  give(replay, 2, JournalFrameType::synced_range);
  CHECK(replay.empty());
  give(replay, 3, JournalFrameType::committed_offsets);
  give(replay, 4, JournalFrameType::forgotten_group);
  give(replay, 5, JournalFrameType::decision_at_leader);
  CHECK_FALSE(replay.empty());
  NotingFacts one;
  NotingFacts other;
  must(replay.restore({&one, &other}));
  using Frames = decltype(one.frames);
  CHECK(one.frames == Frames{{3, JournalFrameType::committed_offsets},
                             {4, JournalFrameType::forgotten_group},
                             {5, JournalFrameType::decision_at_leader}});
  CHECK(one.frames == other.frames);
  CHECK(replay.empty());
  must(replay.restore({&one}));
  CHECK(one.frames.size() == 3);
}

TEST_CASE("a frame that a kind of fact cannot take ends the recovery, and is named") {
  JournalReplay replay(one_topic());
  give(replay, 7, JournalFrameType::committed_offsets, "");
  NotingFacts facts;
  const auto restored = replay.restore({&facts});
  CHECK(code_of(restored) == Errc::corrupt_metadata);
  CHECK(restored.error().message().find("journal frame 7") != std::string::npos);
}

TEST_CASE("a topic is named as long as it has the partition") {
  const JournalReplay replay(one_topic());
  CHECK(replay.topic_name(id_of(1), 1) == "t");
  CHECK_FALSE(replay.topic_name(id_of(1), 2));
  CHECK_FALSE(replay.topic_name(id_of(2), 0));
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
    must(replay.decision(at(lsn), {.producer_id = 7,
                                   .producer_epoch = epoch,
                                   .next_epoch = static_cast<ProducerEpoch>(epoch + 1),
                                   .partitions = {{.topic_id = id_of(1), .partition = 1, .last_offset = 9}},
                                   .is_at_leader = true}));
    give(replay, lsn, JournalFrameType::decision_at_leader);
  };
  give(replay, 1, JournalFrameType::committed_offsets);
  decide(2, 0);
  decide(3, 1);
  give(replay, 4, JournalFrameType::committed_offsets);
  give(replay, 5, JournalFrameType::forgotten_group);
  CHECK(replay.decisions()[1].is_at_leader);
  CHECK(replay.decisions()[1].partitions[0].last_offset == 9);
  CHECK(replay.roll_back_from(3) == 3);
  CHECK(replay.is_decided(7, 1));
  CHECK_FALSE(replay.is_decided(7, 2));
  CHECK_FALSE(replay.decisions()[0].was_rolled_back);
  CHECK(replay.decisions()[1].was_rolled_back);
  NotingFacts facts;
  must(replay.restore({&facts}));
  REQUIRE(facts.frames.size() == 2);
  CHECK(facts.frames[1].first == 2);
}

}  // namespace
}  // namespace seriatim::test
