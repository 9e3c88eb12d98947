// `Catalog`: topics, their settings, what partitions remember, committed offsets, producers, transactional
// ids and state, in one LMDB environment.
//
// Facts come here by checkpoints, never on the hot path: every write is a transaction with full sync, whole
// or not at all after any crash. Every read is a short transaction of its own, and sees one consistent state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "catalog/records/catalog_options.hpp"
#include "catalog/records/catalog_records.hpp"

namespace seriatim::catalog {

class Environment;

/// One position to commit.
struct OffsetCommit {
  TopicPartition topic_partition{};
  CommittedOffset committed{};
};

/// Whether a group of this name could be stored.
/// Errors: invalid_argument: not 1..255 bytes, or with a zero byte.
Result<void> check_group_name(std::string_view group);
/// Whether this position could be stored, whatever topics there are.
/// Errors: invalid_argument (negative offset); offset_metadata_too_large.
Result<void> check_offset_commit(const TopicPartition& at, const CommittedOffset& committed);

/// Whether this transactional id could be stored.
/// Errors: invalid_argument (id not 1..255 bytes, or with a zero byte; negative producer id, epoch or
/// timeout).
Result<void> check_transactional_id(std::string_view id, const TransactionalId& record);

/// Whether this change could be stored.
/// Errors: invalid_argument (name not 1..100 bytes, or with a zero byte; key not 1..400 bytes; value over
/// 1 MiB).
Result<void> check_state_change(const StateChange& change);

/// Everything a checkpoint moves here at once: one write transaction, so that the covered LSN is never ahead
/// of what it covers, nor behind. Facts of topics that do not exist are left out: these were deleted
/// while it was gathered.
struct Checkpoint {
  std::optional<std::uint64_t> covered_lsn{};
  std::optional<bool> clean_shutdown{};
  std::optional<JournalTie> journal{};
  std::optional<Moment> moment{};
  std::vector<std::pair<TopicPartition, PartitionState>> partitions{};
  std::vector<std::string> forgotten_groups{};  ///< what was stored of them goes before `offsets` come
  std::map<std::string, std::vector<OffsetCommit>> offsets{};  ///< by group
  /// The last of several for one id stays, as of several changes of one key.
  std::vector<std::pair<std::string, TransactionalId>> transactional_ids{};
  std::vector<StateChange> state{};
};

/// Threads: any number, any method. Writers wait for one another, readers wait for nobody, except while the
/// map is being enlarged.
///
/// After a fork() every method of the child's copy answers invalid_state; destroying it there is harmless.
/// Errors of every method, beside its own: corrupt_metadata (a value or page fails its checks: file, database
/// and key are named), unsupported_version, storage_full (nothing of the call was stored; retry when there is
/// space), storage_failed (a sync failed: the catalog refuses everything from now on and must be reopened),
/// read_only.
class Catalog {
 public:
  /// Opens the catalog in directory `path`. Its files are checked before LMDB sees them.
  /// Every page and every value is checked: a few microseconds per page of 4 KiB.
  /// A catalog from before producers, transactional ids and state had a place in it is given one by a writer,
  /// durably and when nothing is wrong with it; to a reader they are empty.
  /// Errors: not_found if there is none (see catalog_birth.hpp); corrupt_metadata, with the file and what is
  /// wrong, or the first damaged value and how many there are; unsupported_version; invalid_state if this
  /// process has it open already (LMDB forbids two environments of one file in a process).
  static Result<Catalog> open(const std::string& path, const CatalogOptions& options);

  Catalog(Catalog&&) noexcept;
  Catalog& operator=(Catalog&&) noexcept;
  ~Catalog();

  /// Lets go of the files, once running calls have ended; every later call answers closed. Idempotent.
  void close();

  /// The values that failed their checks at open; only with CatalogOptions::allow_damage are there any.
  const std::vector<Error>& damage() const noexcept { return damage_; }

  // Topics.

  /// Errors: topic_already_exists; invalid_topic; invalid_partitions; invalid_argument for an all-zero topic
  /// id.
  Result<void> create_topic(const TopicRecord& topic);
  /// Frees the name at once and forgets the partitions' states and all groups' offsets, but keeps the record
  /// among the deleted topics until its files are gone: after a crash deleted_topics() tells whose files are
  /// left over.
  /// Errors: unknown_topic_or_partition.
  Result<void> mark_deleted(std::string_view name);
  /// Forgets a deleted topic, when its files are gone. Unknown ids are no error (the call may be a
  /// repetition).
  Result<void> forget_deleted(const Id& topic_id);
  /// mark_deleted and forget_deleted in one, for a topic that has no files.
  Result<void> delete_topic(std::string_view name);
  /// Errors: unknown_topic_or_partition.
  Result<TopicRecord> topic(std::string_view name) const;
  /// By name.
  Result<std::vector<TopicRecord>> topics() const;
  Result<std::vector<TopicRecord>> deleted_topics() const;
  /// Errors: unknown_topic_or_partition; invalid_partitions if `count` is below the present one or above
  /// 10'000.
  Result<void> set_partition_count(std::string_view name, std::int32_t count);
  /// Replaces all overrides. Names and values are the caller's to check (topic_config_rules.hpp).
  /// Errors: unknown_topic_or_partition.
  Result<void> set_config_overrides(std::string_view name,
                                    const std::map<std::string, std::string>& overrides);

  // Partitions and engine.

  /// One state per partition, in order; a partition that has none stored has the defaults.
  /// Errors: unknown_topic_or_partition.
  Result<std::vector<PartitionState>> partition_states(std::string_view topic) const;
  /// That of one partition; nothing: none is stored, or the topic was deleted.
  Result<std::optional<PartitionState>> partition_state(const Id& topic_id, PartitionId partition) const;
  /// All in one write transaction.
  /// Errors: unknown_topic_or_partition for the first that does not exist; nothing is stored then.
  Result<void> put_partition_states(const std::vector<std::pair<TopicPartition, PartitionState>>& states);
  Result<EngineRecord> engine() const;
  /// Nothing in a catalog of an older program.
  Result<std::optional<JournalTie>> journal_tie() const;
  /// The default in a catalog of an older program.
  Result<Moment> moment() const;
  /// Durable when it returns.
  Result<void> set_clean_shutdown(bool clean);
  /// Partition states, forgotten groups, offsets, transactional ids, state, covered LSN, the clean flag,
  /// the tie to the journal and the moment, all in one write transaction.
  /// Errors: invalid_argument, offset_metadata_too_large, as commit_offsets, put_transactional_id and
  /// check_state_change; nothing is stored then.
  Result<void> checkpoint(const Checkpoint& checkpoint);

  // Committed offsets.

  /// Stores all of them, or on an error none.
  /// Errors: invalid_argument (group name not 1..255 bytes, or with a zero byte; negative offset);
  /// offset_metadata_too_large; unknown_topic_or_partition.
  Result<void> commit_offsets(std::string_view group, const std::vector<OffsetCommit>& offsets);
  /// Nothing if the group never committed there.
  /// Errors: unknown_topic_or_partition.
  Result<std::optional<CommittedOffset>> committed(std::string_view group, const TopicPartition& at) const;
  Result<std::map<TopicPartition, CommittedOffset>> group_offsets(std::string_view group) const;
  /// Names of all groups with at least one committed offset, sorted.
  Result<std::vector<std::string>> groups() const;
  /// Holds INV-2 after recovery: lowers every committed offset that is beyond the end of its partition to
  /// that end. Partitions that are not in `log_ends` are left alone.
  /// @return  how many were lowered.
  Result<std::size_t> clamp_offsets(const std::map<TopicPartition, Offset>& log_ends);

  // Producers and transactions.

  /// Gives out ids that were never given out before. Durable when it returns.
  /// @param count  1 or more.
  /// @return  the first of `count` consecutive ids.
  /// Errors: invalid_argument; invalid_state if there are no more ids below 2^63.
  Result<ProducerId> reserve_producer_ids(std::int32_t count);
  /// The first id that is not yet reserved.
  Result<ProducerId> producer_id_end() const;
  /// Nothing if there is no producer of this name.
  Result<std::optional<NamedProducer>> named_producer(std::string_view name) const;
  /// Stores or replaces. Durable when it returns.
  /// Errors: invalid_argument (name not 1..255 bytes, or with a zero byte; negative id or epoch).
  Result<void> put_named_producer(std::string_view name, const NamedProducer& producer);
  /// By name.
  Result<std::map<std::string, NamedProducer>> named_producers() const;
  /// A name that is not there is no error (the call may be a repetition).
  Result<void> delete_named_producer(std::string_view name);

  Result<std::map<std::string, TransactionalId>> transactional_ids() const;
  /// Stores or replaces. Durable when it returns.
  /// Errors: invalid_argument (id not 1..255 bytes, or with a zero byte; negative producer id, epoch or
  /// timeout).
  Result<void> put_transactional_id(std::string_view id, const TransactionalId& record);
  /// An id that is not there is no error (the call may be a repetition).
  Result<void> delete_transactional_id(std::string_view id);

  // State; it is changed by checkpoints only.

  /// Nothing if there is no such key.
  /// Errors: invalid_argument (name or key as check_state_change).
  Result<std::optional<std::vector<std::byte>>> state_value(std::string_view name, base::ByteSpan key) const;
  /// Keys with their values in byte order of the keys, from the first that is not below `from_key` (of any
  /// length; empty: from the beginning), at most `limit`.
  /// Errors: invalid_argument (name as check_state_change).
  /// Cost: copies the values, up to 1 MiB each.
  Result<std::vector<std::pair<std::vector<std::byte>, std::vector<std::byte>>>> scan_state(
      std::string_view name, base::ByteSpan from_key, std::size_t limit) const;
  /// Names of all states with at least one key, sorted.
  Result<std::vector<std::string>> state_names() const;

  /// Size and state, for status and doctor.
  struct Usage {
    std::uint64_t map_bytes = 0;
    std::uint64_t used_bytes = 0;  ///< up to the last used page; what is free below it is used again
    std::uint64_t last_transaction = 0;
    bool lock_free = false;  ///< read-only without LMDB's lock file; reads are checked for staleness instead
  };
  Result<Usage> usage() const;

 private:
  Catalog(std::unique_ptr<Environment> environment, std::vector<Error> damage);

  std::unique_ptr<Environment> environment_;
  std::vector<Error> damage_;
};

}  // namespace seriatim::catalog
