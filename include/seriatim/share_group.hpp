/// @file
/// `ShareGroups`: the share groups of a data directory, their settings and how far they are.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Where a share group begins in a partition that it takes its first record from.
enum class ShareAutoOffsetReset : std::uint8_t {
  earliest,     ///< The log start. The default: nothing is skipped silently (Kafka's default is latest).
  latest,       ///< The end at that moment.
  by_duration,  ///< The first record not older than `share_auto_offset_reset_duration`; the end if there is
                ///< none.
};

/// The settings of a share group, as an aggregate. The dotted name of a field is in its comment; as text,
/// times take units ("30s"). Changes count from the next acquisition, or return, on.
struct ShareGroupConfig {
  /// How long a record is locked for the member that it was delivered to, 1 ms .. 24 h.
  /// "share.record.lock.duration.ms"; the default is Kafka's.
  std::chrono::milliseconds record_lock_duration{30'000};
  /// Deliveries of a record at the most, 1 .. 32'766: one that comes back then dies.
  /// "share.delivery.count.limit"; the default is Kafka's.
  std::int16_t delivery_count_limit = 5;
  /// Offsets from the first that is not done to the last that was ever delivered, in a partition, 1 ..
  /// 1'000'000. "share.partition.max.record.locks"; the default is Kafka's.
  std::int32_t partition_max_record_locks = 2'000;
  /// "share.auto.offset.reset": "earliest", "latest", "by_duration:P1DT2H".
  ShareAutoOffsetReset auto_offset_reset = ShareAutoOffsetReset::earliest;
  std::chrono::milliseconds auto_offset_reset_duration{0};
  /// "share.isolation.level". Kafka's default is read_uncommitted, which delivers records of aborted
  /// transactions too.
  IsolationLevel isolation_level = IsolationLevel::read_committed;
  /// "share.renew.acknowledge.enable".
  bool renew_acknowledge_enable = true;
  /// Records that die are written there, in the same commit as their death. Empty: they are not. Made with
  /// one partition if it does not exist. "errors.deadletterqueue.topic.name"
  std::string dead_letter_topic{};
  /// Letters have key and value of the record; else only headers that say where it is.
  /// "errors.deadletterqueue.copy.record.enable"; Kafka's default is false.
  bool dead_letter_copy_record = true;
  /// How long a record that was released, or whose lock ran out, waits before it is delivered again; it
  /// doubles with each delivery, up to `retry_backoff_max`. 0 ms: not at all. "share.retry.backoff.ms", of
  /// seriatim alone. A restart ends all waits.
  std::chrono::milliseconds retry_backoff{0};
  /// "share.retry.backoff.max.ms"; equal to `retry_backoff`: it is always the same.
  std::chrono::milliseconds retry_backoff_max{60'000};
  /// The share of a wait by which it is made longer or shorter at random, 0 .. 1.
  /// "share.retry.backoff.jitter". Kafka's clients use 0.2.
  double retry_backoff_jitter = 0.2;
  bool operator==(const ShareGroupConfig&) const = default;
};

/// How far a share group is in a partition.
struct ShareGroupOffset {
  TopicPartition topic_partition{};
  Offset start_offset = -1;             ///< Everything below is done.
  Offset end_offset = -1;               ///< Of what it can be shown; -1: the partition cannot be opened.
  std::int64_t lag = -1;                ///< Offsets between them that are not done; -1 as above.
  std::int64_t acquired = 0;            ///< Locked at this moment; 0 for another process to see.
  std::optional<std::string> damage{};  ///< Why the partition cannot be opened.
};

/// The state of a share group, by Kafka's names.
enum class ShareGroupState : std::uint8_t {
  empty,   ///< No member.
  stable,  ///< Members take from it.
};

struct ShareGroupDescription {
  std::string group_id{};
  ShareGroupState state = ShareGroupState::empty;
  std::size_t members = 0;  ///< Share consumers of this process that subscribe.
  ShareGroupConfig config{};
  std::vector<ShareGroupOffset> offsets{};  ///< Sorted.
};

namespace detail {
struct EngineImpl;
}

/// Looks at share groups, and changes them while they have no members. Made by `Engine::share_groups`; cheap
/// to copy. A read-only engine can look: it knows as much as the writer's last checkpoint says.
///
/// Threads: any number, any method.
class SERIATIM_API ShareGroups {
 public:
  /// Groups that were given a setting or an offset, or have taken a record, sorted.
  /// Errors: corrupt_metadata.
  Result<std::vector<std::string>> list() const;
  /// Settings, members, and how far the group is in each partition that it has taken from. A partition that
  /// cannot be opened has `damage` and hides no other.
  /// Errors: group_id_not_found: no share group has this name. corrupt_metadata.
  /// Cost: opens these partitions.
  Result<ShareGroupDescription> describe(std::string_view group_id) const;
  /// Changes settings of a group, and makes it if there is none; members go by them at once.
  /// @param changes  by dotted name; an empty value makes a setting its default.
  /// Errors: invalid_config: names the setting and its range. invalid_argument: the group's name.
  /// group_id_not_found: a consumer group has this name. Nothing is changed then. read_only.
  /// Durability: power loss, on return.
  Result<> alter_config(std::string_view group_id,
                        const std::map<std::string, std::string, std::less<>>& changes) const;
  /// The group begins at these offsets; what it knew of their partitions is forgotten, delivery counts
  /// included. Makes the group if there is none.
  /// Errors: non_empty_group: it has members. invalid_argument: negative, or beyond the log end.
  /// unknown_topic_or_partition, group_id_not_found (a consumer group has this name), read_only.
  /// Durability: power loss, on return.
  Result<> alter_offsets(std::string_view group_id, const std::map<TopicPartition, Offset>& offsets) const;
  /// As if the group had never taken from the topic.
  /// Errors: non_empty_group, group_id_not_found, read_only.
  /// Durability: power loss, on return.
  Result<> delete_offsets(std::string_view group_id, std::string_view topic) const;
  /// Forgets the group, its settings and where it is.
  /// Errors: non_empty_group, group_id_not_found, read_only.
  /// Durability: power loss, on return.
  Result<> remove(std::string_view group_id) const;

 private:
  friend class Engine;
  explicit ShareGroups(std::shared_ptr<detail::EngineImpl> engine) noexcept;
  std::shared_ptr<detail::EngineImpl> engine_;
};

}  // namespace v0
}  // namespace seriatim
