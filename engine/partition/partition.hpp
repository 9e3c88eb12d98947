// One partition, open for writing: the owner of order. Its append mutex is the only lock of the append path;
// readers take none.
//
// Lock order: append mutex, then (released again before any sync) nothing. The sync state has a mutex of its
// own, never held with the append mutex. Structure changes (roll, retention, compaction swap) happen under
// the append mutex and replace the segment list as a whole.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "format/frame.hpp"
#include "partition/partition_log.hpp"
#include "partition/producer_state.hpp"
#include "segment/segment.hpp"

namespace seriatim::partition {

/// What a partition remembers between two runs beside its files (the catalog's PartitionState, without the
/// catalog).
struct PartitionCheckpoint {
  Offset log_start_offset = 0;
  Offset recovery_point_offset = 0;     ///< Records below are on stable storage.
  Offset recovery_segment_base = 0;     ///< The segment that holds the recovery point ...
  std::uint64_t recovery_position = 0;  ///< ... and its byte position there.
  Offset clean_end_offset = -1;         ///< Log end at a clean close, -1 otherwise.
  Offset compacted_to_offset = 0;       ///< First offset that compaction has not looked at.
};

struct PartitionRequest {
  TopicPartition name{};
  std::string directory{};
  TopicConfig config{};
  bool mapped_writes = true;
  PartitionCheckpoint checkpoint{};
};

struct PartitionAppend {
  Offset base_offset = -1;
  Offset last_offset = -1;
};

class Partition final : public PartitionLog, public std::enable_shared_from_this<Partition> {
 public:
  ~Partition() override;

  /// Opens a partition directory, creating it if it is missing, and recovers it. See partition_recovery.cpp.
  /// Errors: those of the file system. Damage is not an error: it is contained, reported and answered by
  /// `damage()`.
  static Result<std::shared_ptr<Partition>> open(const PartitionEnvironment& environment,
                                                 const PartitionRequest& request);

  // ---- append: partition_append.cpp
  // ------------------------------------------------------------------------------------
  /// Appends a framed batch. On return it is published: it survives the death of the process.
  /// Errors: record_too_large, storage_full, storage_failed, closed, ...: not written.
  /// Threads: any. Cost: the append mutex, one copy of the batch.
  Result<PartitionAppend> append(const format::FramedBatch& batch);

  /// Room for a batch of `size` bytes at the end of the active segment, with the append mutex held until
  /// `finish_claim` or `abandon_claim`, which must come from the same thread. Errors: as append, and
  /// invalid_state if this thread holds a claim already.
  Result<base::MutableByteSpan> claim(std::uint64_t size) SERIATIM_NO_THREAD_SAFETY_ANALYSIS;
  Result<PartitionAppend> finish_claim(const format::FramedBatch& batch) SERIATIM_NO_THREAD_SAFETY_ANALYSIS;
  void abandon_claim() noexcept SERIATIM_NO_THREAD_SAFETY_ANALYSIS;

  // ---- durability: partition_sync.cpp
  // ----------------------------------------------------------------------------------
  /// Returns once every record below `offset` is on stable storage. Concurrent callers share syncs: whoever
  /// finds none running runs one for all. Errors: storage_failed: final; outcome unknown.
  Result<> sync_to(Offset offset);
  /// Whether `flush.ms` has passed since the first look at which something was not yet durable. One thread
  /// asks.
  bool is_flush_overdue(std::int64_t now_ns);
  /// Syncs everything appended so far, and the files of segments sealed so far.
  /// Errors: as sync_to.
  Result<> sync();

  // ---- housekeeping: partition_maintenance.cpp
  // -------------------------------------------------------------------------
  /// Begins a new segment if the active one holds anything.
  Result<> roll();
  /// Moves the log start. The caller has checked the range against policy, and stores it in the catalog
  /// first.
  Result<> advance_log_start(Offset offset);
  struct RetentionResult {
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
  };
  /// Deletes what the configuration says is too old or too much (kafka-log 2.10) and what lies below the log
  /// start.
  Result<RetentionResult> apply_retention();
  /// Puts `replacement` in the place of the sealed segments [first_base, end_base); see compaction.
  /// `swap_files` renames the files on disk and runs under the append mutex, so that no reader can open a
  /// name that is about to change hands.
  Result<> replace_segments(Offset first_base, Offset end_base,
                            const std::vector<segment::SegmentPtr>& replacement,
                            const std::function<Result<>()>& swap_files);
  /// Takes effect with the next append; segment limits with the next segment.
  void set_config(const TopicConfig& config);
  TopicConfig config() const;
  /// What to store in the catalog; everything below its recovery point was synced.
  PartitionCheckpoint checkpoint() const;
  /// To be told when a checkpoint is in the catalog.
  void checkpoint_stored(const PartitionCheckpoint& checkpoint);
  /// Base offset of the segment that the recovery point in the catalog lies in. Segments below it may be
  /// rewritten: a crash never meets a recovery point inside a file that has changed.
  Offset stored_recovery_base() const;
  void set_compacted_to(Offset offset);
  /// Syncs, trims the active segment to its exact length, writes the producer snapshot, and refuses appends
  /// from then on.
  /// @return the checkpoint of a clean close.
  Result<PartitionCheckpoint> close();
  /// Refuses everything from then on, closes files, and leaves what is on disk to be removed. For a deleted
  /// topic.
  void abandon();

  /// What recovery found broken and had to contain; nullopt if nothing.
  std::optional<std::string> damage() const;
  std::uint64_t size_bytes() const;
  /// Log bytes of deleted segments that readers still hold.
  std::uint64_t pinned_deleted_bytes() const;
  std::uint64_t appended_batches() const noexcept { return appended_batches_.value(); }
  std::uint64_t appended_records() const noexcept { return appended_records_.value(); }
  std::uint64_t appended_bytes() const noexcept { return appended_bytes_.value(); }

  /// Waits for a change of segments that is under way: between its files and its list, readers meet neither
  /// the old nor the new.
  Result<> reload() override;

  const PartitionEnvironment& environment() const noexcept { return environment_; }

 private:
  friend class PartitionOpener;
  Partition(const PartitionEnvironment& environment, const PartitionRequest& request);

  Result<> check_appendable(std::uint64_t size) const SERIATIM_REQUIRES(append_mutex_);
  Result<> roll_if_needed(std::uint64_t size, Offset last_offset, std::int64_t max_timestamp_ms)
      SERIATIM_REQUIRES(append_mutex_);
  Result<> roll_locked() SERIATIM_REQUIRES(append_mutex_);
  Result<> publish(const segment::PlacedBatch& placed, const format::FramedBatch& batch)
      SERIATIM_REQUIRES(append_mutex_);
  void tell_counters() noexcept;
  void replace_list(std::vector<segment::SegmentPtr> segments) SERIATIM_REQUIRES(append_mutex_);
  segment::SegmentLimits limits() const SERIATIM_REQUIRES(append_mutex_);
  void forget_released_segments() const SERIATIM_REQUIRES(append_mutex_);

  struct SyncWork;
  /// @param is_covered  asked with the sync mutex held.
  Result<> sync_until(const std::function<bool()>& is_covered);
  SyncWork collect_sync_work();
  Result<> run_sync(const SyncWork& work);
  void put_back(const SyncWork& work);

  mutable base::WordMutex append_mutex_;
  segment::SegmentPtr active_ SERIATIM_GUARDED_BY(append_mutex_);
  TopicConfig config_ SERIATIM_GUARDED_BY(append_mutex_);
  bool mapped_writes_ SERIATIM_GUARDED_BY(append_mutex_);
  bool closed_ SERIATIM_GUARDED_BY(append_mutex_) = false;
  ProducerState producers_ SERIATIM_GUARDED_BY(append_mutex_);
  std::vector<segment::SegmentPtr> unsynced_
      SERIATIM_GUARDED_BY(append_mutex_);  // sealed since the last sync
  Offset compacted_to_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  Offset stored_recovery_base_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  std::optional<std::string> damage_ SERIATIM_GUARDED_BY(append_mutex_);
  // Deleted and still pinned by somebody: only the segment knows that, the pins do not keep it alive.
  mutable std::vector<segment::SegmentPtr> deleted_segments_ SERIATIM_GUARDED_BY(append_mutex_);
  std::vector<std::byte> claim_buffer_
      SERIATIM_GUARDED_BY(append_mutex_);  // where a claim is filled if writes are not mapped
  std::atomic<std::thread::id> claim_holder_{};

  // What the last finished sync covers, and whether one is running.
  mutable base::Mutex sync_mutex_;
  base::ConditionVariable sync_done_;
  bool sync_running_ SERIATIM_GUARDED_BY(sync_mutex_) = false;
  std::uint32_t sync_waiters_ SERIATIM_GUARDED_BY(sync_mutex_) = 0;
  Offset synced_segment_base_ SERIATIM_GUARDED_BY(sync_mutex_) = 0;
  std::uint64_t synced_position_ SERIATIM_GUARDED_BY(sync_mutex_) = 0;

  // What is_flush_overdue saw last: not durable since when, up to where.
  std::int64_t undurable_since_ns_ = -1;
  Offset undurable_end_ = 0;

  base::SingleWriterCounter appended_batches_;
  base::SingleWriterCounter appended_records_;
  base::SingleWriterCounter appended_bytes_;
};

using PartitionPtr = std::shared_ptr<Partition>;

}  // namespace seriatim::partition
