// The committed offsets of an engine: newer ones over what the catalog has.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/clock.hpp"
#include "catalog/catalog.hpp"
#include "group/offset_store.hpp"
#include "group/progress_source.hpp"
#include "group/undecided_offsets.hpp"
#include "journal/journal.hpp"
#include "state/durable_facts.hpp"

namespace seriatim::group {

/// The end of a partition, and its topic's id.
struct PartitionEnd {
  catalog::Id topic_id{};
  Offset log_end = 0;
};

/// The parts of the engine around them. All of them outlive them.
struct OffsetsEnvironment {
  const base::Clock& clock;
  const std::optional<catalog::Catalog>& catalog;    ///< There when anything is asked.
  const std::unique_ptr<journal::Journal>& journal;  ///< Of a writer.
  /// Errors: unknown_topic_or_partition.
  std::function<Result<catalog::Id>(std::string_view topic)> topic_id{};
  /// Errors: unknown_topic_or_partition.
  std::function<Result<PartitionEnd>(const TopicPartition&)> partition_end{};
  /// The topics as they are at this moment.
  std::function<IsCurrentTopic()> current_topics{};
  /// The name of the topic; nothing: there is none with this id, or it has no such partition.
  std::function<std::optional<std::string>(const catalog::Id&, PartitionId)> topic_name{};
  /// To be passed before a frame is staged.
  std::function<Result<>()> admit{};
  /// Waits until the frame is as safe as `acks` says.
  std::function<Result<>(std::uint64_t lsn, Acks acks)> acknowledge{};
};

/// Threads: any; the functions of DurableFacts as there.
class CommittedOffsets final : public state::DurableFacts, public ProgressSource {
 public:
  explicit CommittedOffsets(OffsetsEnvironment environment) : environment_(std::move(environment)) {}

  /// A position to be committed, of a partition that ends there.
  /// Errors: invalid_argument (INV-2: beyond the log end), offset_metadata_too_large.
  Result<PositionCommit> check_position(const PartitionEnd& end, const TopicPartition& at,
                                        const OffsetAndMetadata& position) const;
  /// Errors: as check_position; invalid_argument: the group's name; unknown_topic_or_partition; nothing is
  /// committed then. As the journal: it may be.
  Result<> commit(std::string_view group, const TopicPartitionOffsets& offsets, Acks acks);
  /// The first half of `commit`: nothing has been waited for.
  /// @return the LSN of the frame.
  /// Errors: as `commit`; nothing is committed then.
  Result<std::uint64_t> stage(std::string_view group, const TopicPartitionOffsets& offsets);
  /// Enters the positions of a decision, once it is safe. A position of a later frame stays.
  void enter(std::string_view group, const std::vector<PositionCommit>& commits, std::uint64_t lsn) {
    newer_.enter(group, commits, lsn);
  }
  /// Errors: unknown_topic_or_partition.
  Result<std::optional<catalog::CommittedOffset>> find(std::string_view group,
                                                       const TopicPartition& at) const;
  Result<std::map<TopicPartition, catalog::CommittedOffset>> of_group(std::string_view group) const;
  /// All groups with a position, sorted.
  Result<std::vector<std::string>> groups() const;
  /// Durable on return.
  Result<> delete_group(std::string_view group);
  /// Forgets the positions of these places, which exist. Durable on return.
  /// Errors: invalid_argument: the group's name; unknown_topic_or_partition: a topic was deleted.
  Result<> forget_positions(std::string_view group, std::span<const TopicPartition> places);
  /// Positions that `expire` forgets at once: a frame of them fits the smallest journal file. Arbitrary.
  static constexpr std::size_t expired_at_once = 500;
  using IsExpired = std::function<bool(const TopicPartition&, const catalog::CommittedOffset&)>;
  /// Forgets the first positions of the group of which that is true, `expired_at_once` at the most: none of
  /// them if one was committed meanwhile, or may have been, or if a transaction has sent the group offsets
  /// and is not decided. Durable on return.
  /// @return how many it has forgotten.
  Result<std::size_t> expire(std::string_view group, const IsExpired& is_expired);
  /// To be held by a transaction from before its decision until its positions are entered, or given up: a
  /// position that `expire` forgets in between would be staged behind the decision.
  UndecidedOffsets::Sending begin_sending(std::string_view group) { return {undecided_, group}; }
  /// A topic was deleted; one of the same name is another.
  void forget_topic(const catalog::Id& topic_id) { newer_.forget_topic(topic_id); }
  /// The catalog has something better than what frames up to `lsn` tell.
  void forget(std::uint64_t lsn) noexcept { newer_.forget(lsn); }

  Result<> replay(const state::ReplayedFrame& frame) override;
  bool has_changes() const override { return newer_.has_changes(); }
  void gather(catalog::TableWrites& to) override { newer_.gather(environment_.current_topics(), to); }
  std::uint64_t newest_lsn() const override { return newer_.newest_lsn(); }
  void stored(std::uint64_t covered_lsn) noexcept override { newer_.stored(covered_lsn); }

  Result<std::optional<Offset>> needed_from(std::string_view group, const TopicPartition& at) const override;
  std::uint64_t progress_lsn() const override { return newer_.newest_lsn(); }

 private:
  Result<SeenPositions> look_at(std::string_view group) const;
  void replay_offsets(const format::JournalCommittedOffsets& commit, std::uint64_t lsn);

  const OffsetsEnvironment environment_;
  OffsetStore newer_;
  UndecidedOffsets undecided_;
};

}  // namespace seriatim::group
