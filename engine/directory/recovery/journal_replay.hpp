// The facts that the journal tells a writer that opens after a crash, sorted by the part that needs them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "directory/topics/topic.hpp"
#include "journal/journal_reader.hpp"
#include "partition/partition.hpp"
#include "state/durable_facts.hpp"

namespace seriatim::directory {

/// In the data directory.
inline constexpr std::string_view journal_directory_name = "journal";

/// The part of a decision that concerns one partition.
struct ReplayedPart {
  TopicPartition at{};
  Offset first_offset = 0;
  Offset last_offset = 0;
};

/// A transaction that was committed, as far as its topics exist.
struct ReplayedDecision {
  std::uint64_t lsn = 0;
  bool is_at_leader = false;
  bool was_rolled_back = false;
  std::string transactional_id{};
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  ProducerEpoch next_epoch = -1;
  std::vector<ReplayedPart> partitions{};
};

/// Keeps what belongs to topics that exist. One thread.
class JournalReplay final : public journal::JournalVisitor {
 public:
  /// @param topics  of the catalog, by name.
  explicit JournalReplay(const TopicMap& topics);

  /// The batches of a partition, in the journal's order; empty afterwards.
  std::vector<partition::JournalledBatch> take_batches(const catalog::Id& topic_id, PartitionId partition);
  /// Gives each kind of fact all frames that tell facts, in their order; those that were taken back are gone.
  /// Errors: as DurableFacts::replay.
  Result<> restore(const std::vector<state::DurableFacts*>& facts);
  /// The name of the topic; nothing: there is none with this id, or it has no such partition.
  std::optional<std::string> topic_name(const catalog::Id& topic_id, PartitionId partition) const;
  /// Whether a transaction was decided of which a commit marker with this epoch was found. Where decisions
  /// are missing the marker is believed: nobody writes one before the decision.
  bool is_decided(ProducerId producer_id, ProducerEpoch marker_epoch);
  /// Whether only such a marker tells of the decision: in partitions without one the transaction is still to
  /// be ended.
  bool is_decided_by_marker(ProducerId producer_id, ProducerEpoch marker_epoch) const {
    return shown_by_markers_.contains({producer_id, marker_epoch});
  }
  /// Decisions are missing: one that a marker tells of was made.
  void believe_markers() noexcept { believes_markers_ = true; }
  bool believes_markers() const noexcept { return believes_markers_; }
  /// Nothing but a process has ended since the journal was written: it has the decision of every marker that
  /// is still to be asked about, and one of which it has none is of another journal.
  void expect_every_decision() noexcept { expects_every_decision_ = true; }
  /// The first such marker. It counts as decided, so that nothing is cut because of it.
  struct StrangeMarker {
    ProducerId producer_id = 0;
    ProducerEpoch marker_epoch = 0;
  };
  const std::optional<StrangeMarker>& strange_marker() const noexcept { return strange_marker_; }
  /// The commits from this LSN on do not count, of transactions and of positions.
  /// @return how many there were.
  std::size_t roll_back_from(std::uint64_t lsn);
  /// The decisions, in their order.
  const std::vector<ReplayedDecision>& decisions() const noexcept { return decisions_; }
  /// Whether there was anything.
  bool empty() const noexcept { return batches_.empty() && frames_.empty() && decisions_.empty(); }

  Result<void> batch(const journal::FramePlace& place, const format::JournalBatch& batch) override;
  Result<void> synced_range(const journal::FramePlace& place,
                            const format::JournalSyncedRange& range) override;
  Result<void> committed_offsets(const journal::FramePlace& place,
                                 const format::JournalCommittedOffsets& commit) override;
  Result<void> decision(const journal::FramePlace& place, const format::JournalDecision& decision) override;
  Result<void> forgotten_group(const journal::FramePlace& place,
                               const format::JournalForgottenGroup& forgotten) override;
  Result<void> frame(const journal::FramePlace& place, const format::JournalFrame& frame) override;

 private:
  struct KeptFrame {
    std::uint64_t lsn = 0;
    format::JournalFrameType type{};
    std::vector<std::byte> payload{};
  };

  const Topic* find(const catalog::Id& topic_id, PartitionId partition) const;

  std::map<catalog::Id, TopicPtr> topics_;
  std::map<std::pair<catalog::Id, PartitionId>, std::vector<partition::JournalledBatch>> batches_;
  std::vector<KeptFrame> frames_;  ///< All that tell facts.
  std::vector<ReplayedDecision> decisions_;
  using EndedEpoch = std::pair<ProducerId, ProducerEpoch>;
  std::set<EndedEpoch> decided_;
  std::set<EndedEpoch> rolled_back_;
  std::set<EndedEpoch> shown_by_markers_;
  bool believes_markers_ = false;
  bool expects_every_decision_ = false;
  std::optional<StrangeMarker> strange_marker_;
};

}  // namespace seriatim::directory
