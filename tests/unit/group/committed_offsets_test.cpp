#include "group/committed_offsets.hpp"

#include <doctest/doctest.h>

#include "support/gathered_offsets.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using format::JournalFrameType;

constexpr catalog::Id known_topic{std::byte{1}};
constexpr catalog::Id deleted_topic{std::byte{2}};

/// With the topic "t" of one partition, and neither catalog nor journal.
struct Offsets {
  std::optional<catalog::Catalog> catalog{};
  std::unique_ptr<journal::Journal> journal{};
  group::CommittedOffsets offsets{{.clock = base::system_clock(),
                                   .catalog = catalog,
                                   .journal = journal,
                                   .current_topics =
                                       [] {
                                         return [](const std::string& name, const catalog::Id& id) {
                                           return name == "t" && id == known_topic;
                                         };
                                       },
                                   .topic_name =
                                       [](const catalog::Id& id, PartitionId partition) {
                                         return id == known_topic && partition == 0
                                                    ? std::optional<std::string>("t")
                                                    : std::nullopt;
                                       }}};

  void replay_commit(std::uint64_t lsn, const catalog::Id& topic_id, Offset offset) {
    const auto payload = format::encode_journal_offsets(
        {.group = "g",
         .commit_time_ms = 3,
         .offsets = {{.topic_id = topic_id, .partition = 0, .offset = offset, .metadata = "m"}}});
    must(offsets.replay({lsn, JournalFrameType::committed_offsets, payload}));
  }
  GatheredOffsets gather() {
    catalog::TableWrites gathered;
    offsets.gather(gathered);
    return offsets_in(gathered);
  }
};

}  // namespace

TEST_CASE("frames of committed offsets are restored in their order, those of a topic that is gone are not") {
  Offsets made;
  made.replay_commit(1, known_topic, 5);
  made.replay_commit(2, deleted_topic, 7);
  made.replay_commit(3, known_topic, 4);
  const auto gathered = made.gather();
  REQUIRE(gathered.offsets.size() == 1);
  REQUIRE(gathered.offsets.at("g").size() == 1);
  CHECK(gathered.offsets.at("g")[0].committed ==
        catalog::CommittedOffset{.offset = 4, .metadata = "m", .commit_time_ms = 3});
}

TEST_CASE("a frame that forgot a group is restored in its place among the commits") {
  Offsets made;
  made.replay_commit(1, known_topic, 5);
  must(made.offsets.replay({2, JournalFrameType::forgotten_group, base::as_bytes(std::string_view("g"))}));
  CHECK(made.gather().offsets.empty());
  made.replay_commit(3, known_topic, 6);
  const auto gathered = made.gather();
  CHECK(gathered.forgotten_groups == std::vector<std::string>{"g"});
  CHECK(gathered.offsets.at("g")[0].committed.offset == 6);
  CHECK(made.offsets.newest_lsn() == 3);
}

TEST_CASE("positions of a decision are restored, and frames of other kinds passed over") {
  Offsets made;
  std::vector<std::byte> payload;
  const std::vector<format::JournalCommittedOffsets> told{
      {.group = "g", .offsets = {{.topic_id = known_topic, .partition = 0, .offset = 8}}}};
  format::encode_journal_decision(
      {.producer_id = 7, .producer_epoch = 0, .next_epoch = 1, .transactional_id = "x", .offsets = told},
      payload);
  must(made.offsets.replay({1, JournalFrameType::batch, payload}));
  CHECK_FALSE(made.offsets.has_changes());
  must(made.offsets.replay({1, JournalFrameType::decision, payload}));
  CHECK(made.gather().offsets.at("g")[0].committed.offset == 8);
  CHECK(code_of(made.offsets.replay({2, JournalFrameType::decision, {}})) == Errc::corrupt_metadata);
}

TEST_CASE("INV-2: a position beyond the end of its partition is refused") {
  const Offsets made;
  const TopicPartition at{"t", 0};
  CHECK(must(made.offsets.check_position({known_topic, 5}, at, {.offset = 5})).committed.offset == 5);
  CHECK(code_of(made.offsets.check_position({known_topic, 5}, at, {.offset = 6})) == Errc::invalid_argument);
  CHECK(code_of(made.offsets.check_position({known_topic, 5}, at, {.offset = -1})) == Errc::invalid_argument);
}

}  // namespace seriatim::test
