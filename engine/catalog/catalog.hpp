// `Catalog`: topics, their settings, what partitions remember, and committed offsets, in one LMDB
// environment.
//
// Facts come here by checkpoints, never on the hot path: every write is a transaction with full sync, whole
// or not at all after any crash. Every read is a short transaction of its own, and sees one consistent state.
#pragma once

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

#include "catalog/catalog_options.hpp"
#include "catalog/catalog_records.hpp"

namespace seriatim::catalog {

class Environment;

/// One position to commit.
struct OffsetCommit {
  TopicPartition topic_partition{};
  CommittedOffset committed{};
};

/// Whether these positions could be stored, whatever topics there are.
/// Errors: invalid_argument (group name not 1..255 bytes, or with a zero byte; negative offset);
/// offset_metadata_too_large.
Result<void> check_offset_commits(std::string_view group, const std::vector<OffsetCommit>& commits);

/// Everything a checkpoint moves here at once: one write transaction, so that the covered LSN is never ahead
/// of what it covers, nor behind. What belongs to topics that do not exist is left out: they were deleted
/// while it was gathered.
struct Checkpoint {
  std::optional<std::uint64_t> covered_lsn{};
  std::optional<bool> clean_shutdown{};
  std::vector<std::pair<TopicPartition, PartitionState>> partitions{};
  std::map<std::string, std::vector<OffsetCommit>> offsets{};  ///< by group
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
  /// left over. Errors: unknown_topic_or_partition.
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
  /// All in one write transaction.
  /// Errors: unknown_topic_or_partition for the first that does not exist; nothing is stored then.
  Result<void> put_partition_states(const std::vector<std::pair<TopicPartition, PartitionState>>& states);
  Result<EngineRecord> engine() const;
  /// Durable when it returns.
  Result<void> set_clean_shutdown(bool clean);
  /// Partition states, offsets, covered LSN and the clean flag, all in one write transaction.
  /// Errors: invalid_argument, offset_metadata_too_large, as commit_offsets; nothing is stored then.
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
  /// An empty list deletes all offsets of the group. Offsets that are not there are no error.
  Result<void> delete_group_offsets(std::string_view group, const std::vector<TopicPartition>& only = {});
  /// Holds INV-2 after recovery: lowers every committed offset that is beyond the end of its partition to
  /// that end. Partitions that are not in `log_ends` are left alone.
  /// @return  how many were lowered.
  Result<std::size_t> clamp_offsets(const std::map<TopicPartition, Offset>& log_ends);

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
