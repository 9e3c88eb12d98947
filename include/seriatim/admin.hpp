/// @file
/// `Admin`: topics, their configuration, the stored offsets of groups, transactions and producers.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/inspect.hpp>
#include <seriatim/partition_retention.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// Configuration as text: Kafka's dotted names, e.g. {"retention.ms", "7d"}.
using ConfigMap = std::map<std::string, std::string, std::less<>>;

struct NewTopic {
  std::string name{};
  PartitionId partition_count = 1;  ///< 1 .. 10'000.
  ConfigMap config{};               ///< Settings that differ from the defaults of `TopicConfig`.
  /// A topic of that name is no error where it has `partition_count` partitions and every setting that
  /// `config` names: for programs that create their topics whenever they start. Settings that `config` does
  /// not name may be whatever somebody has made of them since.
  bool if_not_exists = false;
};

/// The outcome of `Admin::create_topic`.
enum class TopicCreation : std::uint8_t {
  created,         ///< The topic is new, and empty.
  existed_before,  ///< Only with NewTopic::if_not_exists: it is there as asked for; nothing was changed.
};

struct PartitionDescription {
  PartitionId partition = 0;
  Offset log_start_offset = 0;
  Offset high_watermark = 0;
  Offset last_stable_offset = 0;  ///< Records below belong to no transaction that is open.
  Offset log_end_offset = 0;
  Offset durable_offset = 0;  ///< Records below are known to be on stable storage.
  std::uint32_t segment_count = 0;
  std::uint64_t size_bytes = 0;  ///< Log bytes; indexes not counted.
  /// The fault of the partition: damage that recovery had to contain, or why it cannot be opened, in
  /// which case all numbers are 0.
  std::optional<std::string> damage{};
};

struct TopicDescription {
  std::string name{};
  std::string topic_id{};  ///< Kafka's text form of the UUID, 22 characters.
  TopicConfig config{};    ///< In force.
  ConfigMap overrides{};   ///< The settings that were made; the rest is default.
  std::vector<PartitionDescription> partitions{};
};

struct GroupOffset {
  TopicPartition topic_partition{};
  OffsetAndMetadata committed{};
  Timestamp commit_time{};
  Offset log_end_offset = 0;  ///< -1 if the topic is gone, or the partition cannot be opened.
};

/// How far a group is behind in one partition.
struct GroupLag {
  TopicPartition topic_partition{};
  std::optional<OffsetAndMetadata> committed{};  ///< Nothing: the group has committed none here.
  std::optional<Timestamp> commit_time{};
  Offset log_start_offset = -1;  ///< -1: the partition cannot be opened.
  /// The end of what a read_committed consumer can be shown: the last stable offset. -1 as above.
  Offset end_offset = -1;
  /// `end_offset` less the committed offset, or less `log_start_offset` where none is committed or that has
  /// passed it. 0 where no committed record lies between: markers, aborted records and what compaction
  /// removed are no lag by themselves, but are counted, as Kafka does, where a record lies between. -1 as
  /// above.
  std::int64_t lag = -1;
  /// Why the partition cannot be opened, or why what lies behind the committed offset cannot be read (all of
  /// it counts as lag then).
  std::optional<std::string> damage{};
};

/// The state of a consumer group, by Kafka's names.
enum class GroupState : std::uint8_t {
  empty,        ///< It has no members, only committed offsets.
  assigning,    ///< Its newest epoch has no target assignment yet: no member has polled since.
  reconciling,  ///< Members are still to give up or to take what the target says.
  stable,       ///< Each partition is where it belongs.
};

struct GroupMemberDescription {
  std::string member_id{};
  std::string group_instance_id{};           ///< Empty: a dynamic member.
  std::vector<std::string> topics{};         ///< Subscribed to, and existing; sorted.
  std::vector<TopicPartition> assignment{};  ///< Its own partitions, sorted.
  std::vector<TopicPartition> target{};      ///< The partitions that it is to own, sorted.
  std::int32_t epoch = -1;                   ///< Of the target that it has reached; -1: none yet.
  bool is_away = false;                      ///< A static member that has closed and may come back.
};

struct GroupDescription {
  std::string group_id{};
  GroupState state = GroupState::empty;
  std::int32_t epoch = 0;         ///< Rises with each change of members or topics.
  std::int32_t target_epoch = 0;  ///< That which the target was computed for.
  std::vector<GroupMemberDescription> members{};
};

/// Result of a retention or compaction pass.
struct MaintenanceResult {
  std::uint64_t deleted_segments = 0;
  std::uint64_t deleted_bytes = 0;
  std::uint64_t removed_records = 0;  ///< By compaction.
  std::uint64_t compacted_segments = 0;
};

/// Which offset of a partition `Admin::list_offset` answers.
enum class OffsetSpec : std::uint8_t {
  earliest,       ///< Log start.
  latest,         ///< High watermark.
  max_timestamp,  ///< The first record that has the largest timestamp.
};

/// How the transaction of a transactional id stands. Kafka's names.
enum class TransactionState : std::uint8_t {
  empty,           ///< None is open.
  ongoing,         ///< Begun, and perhaps written to.
  prepare_commit,  ///< Decided, or about to be: it will be seen, once its markers are appended.
  prepare_abort,   ///< Given up; markers are missing.
};

struct TransactionDescription {
  std::string transactional_id{};
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  TransactionState phase = TransactionState::empty;
  std::chrono::milliseconds timeout{0};
  std::optional<Timestamp> start_time{};     ///< Nothing: none is open, or (read-only) it is not known.
  std::vector<TopicPartition> partitions{};  ///< That the open transaction has written to, sorted.
  /// Read-only: which partitions cannot be opened (the first, why, and how many others). The transaction may
  /// be open there.
  std::optional<std::string> damage{};
};

/// A producer, as one partition remembers it.
struct PartitionProducer {
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  Sequence last_sequence = -1;           ///< -1: of this epoch there is no record here.
  Timestamp last_timestamp{};            ///< Of its last batch or marker.
  std::int32_t coordinator_epoch = -1;   ///< Of its last marker; -1: there is none.
  Offset transaction_start_offset = -1;  ///< First offset of its open transaction; -1: none is open.
};

/// A transaction that no producer is going to end: read_committed readers wait for it.
struct HangingTransaction {
  TopicPartition topic_partition{};
  PartitionProducer producer{};
  std::optional<std::string> transactional_id{};  ///< Nothing: no transactional id has this producer id.
  /// Why the partition cannot be opened: nobody knows whether a transaction hangs there, and all else but
  /// `topic_partition` is empty.
  std::optional<std::string> damage{};
};

/// A producer that keeps its id from run to run (ProducerOptions::name).
struct NamedProducerDescription {
  std::string name{};
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  Timestamp create_time{};
  Timestamp last_open_time{};
};

namespace detail {
struct EngineImpl;
struct AdminImpl;
}  // namespace detail

/// Kafka's Admin client, by the same names. Made by `Engine::admin`; keeps the engine alive.
///
/// Every function answers closed, or invalid_state after fork(); those that change something answer read_only
/// in a read-only engine and storage_full when there is no space (nothing changed then).
/// Threads: any number at the same time.
/// Durability: a change survives process death and power loss once the call has returned.
class SERIATIM_API Admin {
 public:
  /// Creates a topic. Waits for the end of a deletion of that name that is under way.
  /// @return whether it is new; without NewTopic::if_not_exists it always is.
  /// Errors: topic_already_exists (with NewTopic::if_not_exists only if it differs; the message has both
  /// values), invalid_topic (names that begin with "__" are the engine's), invalid_partitions, invalid_config
  /// (with the allowed range).
  /// Threads: any.
  Result<TopicCreation> create_topic(const NewTopic& topic) const;
  /// Deletes a topic, its records and its groups' offsets. Readers keep what they have pinned.
  /// A compaction of it that runs is broken off; no other call waits for that.
  /// Errors: unknown_topic_or_partition.
  /// Threads: any.
  Result<> delete_topic(std::string_view topic) const;
  /// Raises the partition count. Keys are placed anew from then on: Kafka's rule (docs/architecture.md).
  /// Errors: unknown_topic_or_partition, invalid_partitions (not more than now, or over 10'000).
  /// Threads: any.
  Result<> create_partitions(std::string_view topic, PartitionId total_count) const;
  /// Sets configuration; all of `config` or, on an error, none of it. Takes effect at once.
  /// Errors: unknown_topic_or_partition, invalid_config.
  /// Threads: any.
  Result<> alter_config(std::string_view topic, const ConfigMap& config) const;
  /// Sets names back to their defaults.
  /// Errors: unknown_topic_or_partition, invalid_config (no such name).
  /// Threads: any.
  Result<> reset_config(std::string_view topic, const std::vector<std::string>& names) const;

  /// Names of all topics, sorted.
  /// Errors: corrupt_metadata.
  /// Threads: any.
  Result<std::vector<std::string>> list_topics() const;
  /// A partition that cannot be opened has `damage` and hides no other.
  /// Errors: unknown_topic_or_partition, corrupt_metadata.
  /// Threads: any.
  Result<TopicDescription> describe_topic(std::string_view topic) const;
  /// How far the groups have read that the topic's retention settings name, and what is kept for them, by
  /// partition. Empty: they name none. A partition that cannot be opened has `damage` and hides no other.
  /// Errors: unknown_topic_or_partition, corrupt_metadata.
  /// Threads: any.
  /// Cost: opens the partitions, if the settings name groups.
  Result<std::vector<PartitionRetention>> describe_retention(std::string_view topic) const;

  /// Moves the log start up to `before` (-1: the last stable offset, which is the high watermark unless a
  /// transaction is open). Whole segments below go with the next retention pass.
  /// Errors: unknown_topic_or_partition, offset_out_of_range (above the last stable offset: nothing is
  /// changed), policy_violation (no `delete` in cleanup.policy).
  /// Threads: any.
  Result<Offset> delete_records(const TopicPartition& topic_partition, Offset before) const;
  /// Errors: unknown_topic_or_partition, corrupt_record.
  /// Threads: any.
  Result<Offset> list_offset(const TopicPartition& topic_partition, OffsetSpec spec) const;
  /// Earliest offset with a timestamp at or after `time`; nullopt if there is none.
  /// Errors: unknown_topic_or_partition, invalid_argument (negative time), corrupt_record.
  /// Threads: any.
  Result<std::optional<OffsetAndTimestamp>> offset_for_time(const TopicPartition& topic_partition,
                                                            Timestamp time) const;

  /// Runs a retention pass over a topic now; with `roll_active`, the active segments are rolled first, so
  /// that what they hold can be deleted as well.
  /// Errors: unknown_topic_or_partition; else as the disk says (what was deleted stays deleted).
  /// Threads: any.
  Result<MaintenanceResult> apply_retention(std::string_view topic, bool roll_active = false) const;
  /// Runs a compaction pass over a topic now, whatever its dirty ratio; with `roll_active`, the active
  /// segment is rolled first so that all records take part.
  /// Errors: unknown_topic_or_partition, policy_violation (no `compact` in cleanup.policy), corrupt_record
  /// (that partition is left as it was).
  /// Threads: any.
  Result<MaintenanceResult> compact(std::string_view topic, bool roll_active) const;

  /// Keeps retention and compaction from running by themselves until `resume_maintenance`, or until the
  /// engine is closed: for times in which others need the disk, or while files are copied. Returns when none
  /// runs: a pass ends at its next batch and begins anew later. Checkpoints, time-outs of transactions and
  /// `flush.ms` go on; so do apply_retention and compact, which somebody asks for. Once is enough, however
  /// often it is called. `Metrics::maintenance_paused` tells it.
  /// Errors: read_only, closed, invalid_state (a forked child).
  /// Threads: any.
  Result<> pause_maintenance() const;
  /// Lets them run again; what is due by then begins at once.
  /// Errors: as `pause_maintenance`.
  /// Threads: any.
  Result<> resume_maintenance() const;

  /// As the free function `verify`, for a directory that this engine has open. Beside running appends the
  /// active segments are checked as far as they were written when looked at.
  /// Errors: unknown_topic_or_partition; damage is in the report.
  /// Threads: any.
  Result<VerifyReport> verify(const VerifyOptions& options = {}) const;

  /// Groups that have committed offsets, or members in this engine, sorted.
  /// Errors: corrupt_metadata.
  /// Threads: any.
  Result<std::vector<std::string>> list_groups() const;
  /// The members of a group, those of this engine: members are of a process, and another sees none.
  /// Errors: group_id_not_found, corrupt_metadata.
  /// Threads: any.
  Result<GroupDescription> describe_group(std::string_view group) const;
  /// Takes their partitions from members, as if they had not polled for too long: their commits are refused,
  /// and the next poll of each joins again.
  /// @param member_ids  empty: of all.
  /// Errors: group_id_not_found, unknown_member_id: nobody is removed then.
  /// Threads: any.
  Result<> remove_group_members(std::string_view group,
                                const std::vector<std::string>& member_ids = {}) const;
  /// Errors: corrupt_metadata. An unknown group has no offsets: an empty list.
  /// Threads: any.
  Result<std::vector<GroupOffset>> group_offsets(std::string_view group) const;
  /// How far a group is behind, by topic and partition: in every partition of the topics of which it has a
  /// committed offset. A damaged partition has `damage` and hides no other.
  /// Errors: corrupt_metadata. An unknown group has no offsets: an empty list.
  /// Threads: any.
  /// Cost: opens the partitions. For each that is behind, headers of batches from the committed offset to the
  /// next committed record: one, unless markers, aborted records or compacted ones lie between.
  Result<std::vector<GroupLag>> group_lag(std::string_view group) const;
  /// Errors: unknown_topic_or_partition, invalid_argument (negative, or beyond the log end),
  /// offset_metadata_too_large, non_empty_group: members go on from where they are, whatever is stored;
  /// group_id_not_found: it is a share group.
  /// Threads: any.
  Result<> alter_group_offsets(std::string_view group, const TopicPartitionOffsets& offsets) const;
  /// Forgets a group's offsets, those that were committed before the call. An unknown group is no error.
  /// Errors: invalid_argument (a name of 0 or more than 255 bytes, or with a zero byte), non_empty_group.
  /// Threads: any.
  /// Durability: power loss, on return, as of a committed position.
  Result<> delete_group(std::string_view group) const;
  /// Forgets what a group has committed in these partitions before the call: all of it or, on an error, none.
  /// The group is gone with its last offset. Where it has none, and of an unknown group, there is nothing to
  /// forget, and that is no error.
  /// Errors: unknown_topic_or_partition; invalid_argument (the name, as `delete_group`).
  /// Threads: any.
  /// Durability: as `delete_group`.
  Result<> delete_group_offsets(std::string_view group, const std::vector<TopicPartition>& partitions) const;

  /// Every transactional id that was ever used and is not forgotten
  /// (EngineOptions::transactional_id_expiration), sorted. A read-only engine knows ids, epochs and time-outs
  /// as of the writer's last checkpoint, and looks into the partitions for what is open: `ongoing` then, also
  /// when its end has begun, and no start time. A partition that cannot be opened is told in `damage` and
  /// hides no other.
  /// Errors: corrupt_metadata; read-only also those of opening partitions, damage excepted.
  /// Threads: any.
  /// Cost: read-only, opens every partition.
  Result<std::vector<TransactionDescription>> list_transactions() const;
  /// As `list_transactions`, of one id.
  /// Errors: as there, and transactional_id_not_found.
  /// Threads: any.
  /// Cost: as `list_transactions`.
  Result<TransactionDescription> describe_transaction(std::string_view transactional_id) const;
  /// Aborts the open transaction of an id; without one nothing happens. Its holder is told by
  /// transaction_abortable at the next call, and may begin another. One whose commit has begun is committed.
  /// Errors: transactional_id_not_found · storage_full, ...: markers are missing; the engine goes on trying.
  /// Threads: any. Waits for a call on the transaction that is under way.
  Result<> abort_transaction(std::string_view transactional_id) const;
  /// Aborts what is open and ends the holder: whatever it does next answers producer_fenced, until somebody
  /// opens the id again.
  /// Errors: transactional_id_not_found · as `abort_transaction`.
  /// Threads: any.
  Result<> fence_producer(std::string_view transactional_id) const;
  /// Transactions that are open in a partition, but not by a holder of a transactional id, or for longer than
  /// EngineOptions::transaction_max_timeout and five minutes. Our own are aborted in time; these come with
  /// segments of another log, and keep every read_committed reader of the partition waiting. A read-only
  /// engine goes by the catalog, by its own transaction_max_timeout, and by the time of the last record. A
  /// partition that cannot be opened is an entry with `damage` and hides no other.
  /// Errors: those of opening partitions, damage excepted; corrupt_metadata.
  /// Threads: any.
  /// Cost: opens every partition.
  Result<std::vector<HangingTransaction>> find_hanging_transactions() const;
  /// Ends one of those with an abort marker: its records are never seen, and readers go on. Durable on
  /// return.
  /// @param start_offset  PartitionProducer::transaction_start_offset.
  /// Errors: invalid_txn_state: no transaction hangs there · corrupt_metadata: the partition cannot be opened
  /// · as `find_hanging_transactions` · storage_full.
  /// Threads: any.
  /// Cost: opens every partition.
  Result<> abort_hanging_transaction(const TopicPartition& topic_partition, Offset start_offset) const;
  /// Producers with a sequence that a partition remembers, by id. A read-only engine knows those of the
  /// newest producer snapshot and everything after it.
  /// Errors: unknown_topic_or_partition; else as the files say.
  /// Threads: any.
  Result<std::vector<PartitionProducer>> describe_producers(const TopicPartition& topic_partition) const;

  /// Named producers, sorted by name.
  /// Errors: corrupt_metadata.
  /// Threads: any.
  Result<std::vector<NamedProducerDescription>> list_named_producers() const;
  /// Forgets a named producer: who opens the name next is another producer, whose records are no duplicates
  /// of those before.
  /// Errors: not_found · invalid_state: it is open in this process.
  /// Threads: any.
  Result<> forget_named_producer(std::string_view name) const;
  /// Names of the tables (`Engine::state`) that have a key, sorted.
  /// Errors: corrupt_metadata.
  /// Threads: any.
  Result<std::vector<std::string>> list_states() const;

 private:
  friend class Engine;
  friend struct detail::AdminImpl;
  explicit Admin(std::shared_ptr<detail::EngineImpl> engine) noexcept;
  std::shared_ptr<detail::EngineImpl> engine_;
};

}  // namespace v0
}  // namespace seriatim
