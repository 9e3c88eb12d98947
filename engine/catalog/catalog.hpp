// `Catalog`: topics, their settings, what partitions remember, committed offsets, producers and transactional
// ids, in one LMDB environment, and whatever else a kind of fact writes there and reads again
// (stored_state.hpp).
//
// Facts come here by checkpoints, never on the hot path: every write is a transaction with full sync, whole
// or not at all after any crash. Every read is a short transaction of its own, and sees one consistent state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "catalog/records/catalog_options.hpp"
#include "catalog/records/catalog_records.hpp"
#include "catalog/records/committed_offset.hpp"
#include "catalog/records/state_change.hpp"
#include "catalog/records/table_writes.hpp"
#include "catalog/records/transactional_id.hpp"

namespace seriatim::catalog {

class Environment;
class ReadTransaction;

/// Whether a group of this name could be stored.
/// Errors: invalid_argument: not 1..255 bytes, or with a zero byte.
Result<void> check_group_name(std::string_view group);

/// Everything a checkpoint moves here at once: one write transaction, so that the covered LSN is never ahead
/// of what it covers, nor behind.
struct Checkpoint {
  std::optional<std::uint64_t> covered_lsn{};
  std::optional<bool> clean_shutdown{};
  std::optional<JournalTie> journal{};
  std::optional<Moment> moment{};
  /// A state of a topic that does not exist is left out: this was deleted while it was gathered.
  std::vector<std::pair<TopicPartition, PartitionState>> partitions{};
  TableWrites writes{};  ///< The facts that the journal tells, of every kind.
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
  /// Partition states, all writes of facts in their order, covered LSN, the clean flag, the tie to the
  /// journal and the moment, all in one write transaction.
  Result<void> checkpoint(const Checkpoint& checkpoint);

  // Committed offsets; they are changed by checkpoints only.

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

  // Kinds of facts that have a file of their own.

  using ReadBody = std::function<Result<void>(const ReadTransaction&)>;
  /// Runs `body` on one state. It may run more than once, so it must begin by clearing what it collects. It
  /// must not call the catalog.
  /// Errors: those of `body`.
  Result<void> read(const ReadBody& body) const;

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
