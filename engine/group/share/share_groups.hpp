// `ShareGroups`: the durable state of all share groups of an engine: their progress in each partition, and
// their settings.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "catalog/pending_table.hpp"
#include "format/journal/journal_decision.hpp"
#include "format/journal/journal_share.hpp"
#include "group/progress_source.hpp"
#include "group/share/share_members.hpp"
#include "group/share/share_partition.hpp"
#include "group/share/share_storage.hpp"
#include "group/share/share_types.hpp"
#include "journal/journal.hpp"
#include "state/durable_facts.hpp"

namespace seriatim::group {

/// The parts of the engine around share groups. All of them outlive them.
struct ShareEnvironment {
  const std::optional<catalog::Catalog>& catalog;    ///< There when anything is asked.
  const std::unique_ptr<journal::Journal>& journal;  ///< Of a writer.
  /// Errors: unknown_topic_or_partition.
  std::function<Result<catalog::Id>(std::string_view topic)> topic_id{};
  /// Whether a topic of this name and id is there, as it was at the moment of the call.
  std::function<std::function<bool(const std::string&, const catalog::Id&)>()> current_topics{};
  /// The name of the topic; nothing: there is none with this id, or it has no such partition.
  std::function<std::optional<std::string>(const catalog::Id&, PartitionId)> topic_name{};
  /// To be passed before a frame is staged.
  std::function<Result<>()> admit{};
  /// Waits until the frame is as safe as `acks` says.
  std::function<Result<>(std::uint64_t lsn, Acks acks)> acknowledge{};
};

/// The progress of a group in one partition.
struct ShareProgress {
  catalog::Id topic_id{};
  PartitionId partition = 0;
  DeliveryProgress progress{};
};

/// Threads: any; the functions of DurableFacts as there. Lock order: its own mutex, a partition's, that of
/// the changed partitions.
/// Errors of every function: as the catalog and the journal.
class ShareGroups final : public state::DurableFacts, public ProgressSource {
 public:
  explicit ShareGroups(ShareEnvironment environment);

  /// Of a writer: the one object of the group in a partition that exists, whether or not there is a progress.
  /// It is loaded by its first use and kept.
  /// Errors: invalid_argument: the group's name.
  /// Cost: O(log n); the first time a look into the catalog.
  Result<SharePartitionPtr> partition(std::string_view group, const TopicPartition& at,
                                      const catalog::Id& topic_id);
  /// The partitions in which the group has a progress, by topic id and partition.
  Result<std::vector<ShareProgress>> progress_of(std::string_view group) const;
  /// All groups with a progress or settings, sorted.
  Result<std::vector<std::string>> groups() const;

  /// Forgets progress and settings of the group. Durable on return.
  /// Errors: invalid_argument: the group's name.
  Result<> forget_group(std::string_view group);
  /// Forgets the progress of the group in these partitions of a topic. Durable on return.
  /// Errors: invalid_argument: the group's name.
  Result<> forget_partitions(std::string_view group, const catalog::Id& topic_id,
                             std::span<const TopicPartition> places);
  /// A topic was deleted; one of the same name is another. The catalog forgets it by itself.
  void forget_topic(const catalog::Id& topic_id);

  /// Holds INV-2 after recovery: a record that gets the number of a lost one is delivered. Where a progress
  /// is beyond the end of its partition, all behind the end is taken for never delivered. The next
  /// checkpoint has it. While the engine is being opened, behind the replay.
  /// @return how many were lowered.
  Result<std::size_t> lower(const std::map<TopicPartition, Offset>& log_ends);

  /// Empty: the group has none.
  Result<ShareSettings> settings(std::string_view group) const;
  /// Takes the place of all settings of the group. Durable on return.
  /// @param settings  names have 1 to 65,535 bytes, values at most that.
  /// Errors: invalid_argument: the group's name, or a setting.
  Result<> set_settings(std::string_view group, const ShareSettings& settings);

  /// The consumers of this engine: they end with it.
  ShareMembers& members() noexcept { return members_; }
  const ShareMembers& members() const noexcept { return members_; }

  /// The start offset: what lies behind it may be delivered again.
  Result<std::optional<Offset>> needed_from(std::string_view group, const TopicPartition& at) const override;
  std::uint64_t progress_lsn() const override;

  Result<> replay(const state::ReplayedFrame& frame) override;
  bool has_changes() const override;
  void gather(catalog::TableWrites& to) override;
  std::uint64_t newest_lsn() const override { return gathered_lsn_; }
  void stored(std::uint64_t covered_lsn) noexcept override;

 private:
  struct Key {
    std::string group{};
    catalog::Id topic_id{};
    PartitionId partition = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Nothing {};
  using Partitions = std::map<Key, SharePartitionPtr>;
  using Settings = catalog::PendingTable<std::string, ShareSettings>;
  using Forgotten = catalog::PendingTable<std::string, Nothing>;

  Result<SharePartitionPtr> load(std::string_view group, const TopicPartition& at,
                                 const catalog::Id& topic_id) SERIATIM_REQUIRES(mutex_);
  /// Of a frame; nullptr: the topic was deleted since.
  Result<SharePartitionPtr> find_replayed(std::string_view group, const catalog::Id& topic_id,
                                          PartitionId partition) SERIATIM_REQUIRES(mutex_);
  /// Loads what the catalog has beyond these ends.
  Result<> load_beyond(std::string_view group, const std::map<TopicPartition, Offset>& log_ends)
      SERIATIM_REQUIRES(mutex_);
  std::vector<SharePartitionPtr> loaded_of(std::string_view group) const SERIATIM_REQUIRES(mutex_);
  Result<std::vector<ShareProgress>> find_progress(std::string_view group) const SERIATIM_REQUIRES(mutex_);
  Result<ShareSettings> find_settings(std::string_view group) const SERIATIM_REQUIRES(mutex_);
  Result<> replay_group(const format::JournalShareGroup& told, std::uint64_t lsn) SERIATIM_REQUIRES(mutex_);
  Result<> replay_deaths(const format::JournalDecision& decision, std::uint64_t lsn)
      SERIATIM_REQUIRES(mutex_);

  const ShareEnvironment environment_;
  ShareMembers members_;
  ChangedSharePartitions changed_;
  mutable base::Mutex mutex_;
  Partitions partitions_ SERIATIM_GUARDED_BY(mutex_);
  // With the mutex held: a group's end is entered in both at once.
  Settings settings_;  ///< Empty ones: the group has none.
  Forgotten forgotten_;
  // Of the thread that gathers.
  std::set<SharePartitionPtr> gathered_;  ///< Of gatherings that were not stored.
  std::uint64_t gathered_lsn_ = 0;
};

}  // namespace seriatim::group
