// Share groups through any number of runs, over a journal in memory and a catalog of its own.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "group/share/share_groups.hpp"
#include "support/random.hpp"
#include "unit/catalog/made_catalog.hpp"
#include "unit/journal/journal_fixture.hpp"

namespace seriatim::test {

/// With the topics "t" (id 1, four partitions) and "u" (id 2).
class ShareWorld {
 public:
  struct Frame {
    std::uint64_t lsn = 0;
    format::JournalFrameType type{};
    std::vector<std::byte> payload{};
  };

  ShareWorld() {
    catalog::make_catalog(dir_ / "catalog");
    catalog.emplace(must(catalog::Catalog::open(dir_ / "catalog", catalog::options())));
    for (std::uint32_t i = 0; i < topics.size(); ++i)
      must(catalog->create_topic(catalog::topic_record(topics[i], i + 1, 4)));
    open();
  }

  /// Another run, after the process died; what was not written is lost.
  void restart() {
    groups.reset();
    journal_world.journal.reset();
    open();
  }
  /// The same after a power cut: `random` decides what is left of what was not synced.
  void cut_power(Random& random) {
    journal_world.vfs.cut_power();
    groups.reset();
    journal_world.journal.reset();
    journal_world.vfs.restart(random);
    open();
  }
  /// As the checkpointer does it.
  /// @param covers  a checkpoint; else other processes are shown what was committed.
  /// @param is_stored  false: the catalog did not take it.
  void checkpoint(bool covers, bool is_stored = true) {
    const std::uint64_t staged = journal()->stats().staged_lsn;
    catalog::Checkpoint checkpoint;
    groups->gather(checkpoint.writes);
    CHECK(checkpoint.writes.left_out().empty());
    must(journal()->wait_durable(std::max(groups->newest_lsn(), covers ? staged : 0)));
    if (!is_stored) return;
    if (covers) checkpoint.covered_lsn = staged;
    must(catalog->checkpoint(checkpoint));
    groups->stored(covers ? staged : 0);
    if (!covers) return;
    journal_world.covered_lsn = staged;
    must(journal()->recycle_below(staged + 1, journal()->stored_lsn()));
  }

  /// The partition `index` of "t".
  group::SharePartitionPtr partition(PartitionId index = 0, std::string_view group = "g") {
    return must(groups->partition(group, {"t", index}, topic_id));
  }
  group::DeliveryProgress progress(PartitionId index = 0, std::string_view group = "g") {
    for (const auto& known : must(groups->progress_of(group))) {
      if (known.topic_id == topic_id && known.partition == index) return known.progress;
    }
    return {.start_offset = -1};
  }
  /// Acquires so many records that were not delivered before.
  std::uint64_t acquire(const group::SharePartitionPtr& partition, std::int64_t count,
                        group::ShareMemberId member = 1) {
    return must(partition->change([&](const group::ShareWindow& window) -> Result<group::ShareChange> {
      const Offset from = window.fresh_offset();
      const group::FreshRecords fresh{from, from + count, {{from, from + count - 1}}};
      const auto planned = window.plan_fresh(
          {.member = member, .now_ms = 0, .lock_end_ms = lock_end_ms, .max_records = count}, fresh);
      return planned.value_or(group::ShareChange{});
    }));
  }
  Result<std::uint64_t> answer(const group::SharePartitionPtr& partition, group::OffsetRun offsets,
                               group::Acknowledging type, bool writes_letters = false,
                               group::ShareMemberId member = 1) {
    const group::Acknowledgement answer{offsets, type};
    return partition->change([&](const group::ShareWindow& window) {
      return window.plan_acknowledge(member, {&answer, 1}, {.now_ms = 1, .writes_letters = writes_letters},
                                     lock_end_ms + 1);
    });
  }
  /// The decision of a transaction that wrote the letters of these records.
  std::uint64_t decide(const group::SharePartitionPtr& partition, const std::vector<group::OffsetRun>& dead) {
    format::JournalDecision decision{
        .producer_id = 7, .producer_epoch = 0, .next_epoch = 1, .transactional_id = "x"};
    auto& told = decision.deaths.emplace_back(format::DecidedDeaths{
        .group = partition->group(), .topic_id = topic_id, .partition = partition->at().partition});
    for (const auto& run : dead) told.runs.push_back({run.first, run.last});
    return must(journal()->stage(journal::StagedFrame::encoded(format::JournalFrameType::decision,
                                                               format::encode_journal_decision(decision))));
  }

  const std::unique_ptr<journal::Journal>& journal() const noexcept { return journal_world.journal; }

  static constexpr std::int64_t lock_end_ms = 1'000;
  const catalog::Id topic_id = catalog::id_of(1);
  std::vector<std::string> topics{"t", "u"};
  JournalWorld journal_world{};
  std::optional<catalog::Catalog> catalog{};
  std::unique_ptr<group::ShareGroups> groups{};
  std::vector<Frame> replayed{};  ///< By this run.
  Result<> admitted{};            ///< The answer to who asks for room in the journal.
  std::vector<std::uint64_t> acknowledged{};

 private:
  struct FrameKeeper final : journal::JournalVisitor {
    Result<void> batch(const journal::FramePlace&, const format::JournalBatch&) override { return {}; }
    Result<void> synced_range(const journal::FramePlace&, const format::JournalSyncedRange&) override {
      return {};
    }
    Result<void> committed_offsets(const journal::FramePlace&,
                                   const format::JournalCommittedOffsets&) override {
      return {};
    }
    Result<void> decision(const journal::FramePlace&, const format::JournalDecision&) override { return {}; }
    Result<void> forgotten_group(const journal::FramePlace&, const format::JournalForgottenGroup&) override {
      return {};
    }
    Result<void> frame(const journal::FramePlace& place, const format::JournalFrame& frame) override {
      kept.push_back({place.lsn, frame.fields.type, {frame.payload.begin(), frame.payload.end()}});
      return {};
    }
    std::vector<Frame> kept{};
  };

  void open() {
    FrameKeeper keeper;
    journal_world.contents = must(journal_world.read(keeper));
    replayed = std::move(keeper.kept);
    groups = std::make_unique<group::ShareGroups>(group::ShareEnvironment{
        .catalog = catalog,
        .journal = journal_world.journal,
        .current_topics =
            [this] {
              return [this](const std::string& name, const catalog::Id& id) { return is_there(name, id); };
            },
        .topic_name =
            [this](const catalog::Id& id, PartitionId partition) {
              const std::string name = id == topic_id ? "t" : "u";
              return partition < 4 && is_there(name, id) ? std::optional(name) : std::nullopt;
            },
        .admit = [this] { return admitted; },
        .acknowledge = [this](std::uint64_t lsn, Acks) -> Result<> {
          acknowledged.push_back(lsn);
          return journal()->wait_durable(lsn);
        }});
    for (const auto& frame : replayed) must(groups->replay({frame.lsn, frame.type, frame.payload}));
    journal_world.journal = must(journal::Journal::open(journal_world.options(), journal_world.contents));
  }
  bool is_there(const std::string& name, const catalog::Id& id) const {
    return (name == "t" && id == catalog::id_of(1) && topics.front() == "t") ||
           (name == "u" && id == catalog::id_of(2) && topics.back() == "u");
  }

  TempDir dir_{};
};

}  // namespace seriatim::test
