// One partition, open for writing: the owner of order. Its append mutex is the only lock of the append path;
// readers take none.
//
// Lock order: maintenance mutex, then append mutex, then (released again before any sync) nothing. The
// maintenance mutex is held over the whole of a retention or compaction step, so that no two of them rewrite
// or delete the same files; neither readers nor appends ever take it. The sync state has a mutex of its own,
// never held with the append mutex. Structure changes replace the segment list as a whole: at its end (roll)
// under the append mutex, at its front (retention, compaction) in a maintenance step.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "format/batch/control_record.hpp"
#include "format/batch/frame.hpp"
#include "format/journal/journal_payload.hpp"
#include "partition/append_outcome.hpp"
#include "partition/partition_log.hpp"
#include "partition/producer_state.hpp"
#include "partition/retention.hpp"
#include "segment/recovery/segment_recovery.hpp"
#include "segment/segment.hpp"
#include "segment/segment_writer.hpp"

namespace seriatim::partition {

/// The state of a partition that is kept between two runs, beside its files (the catalog's PartitionState,
/// without the catalog).
struct PartitionCheckpoint {
  Offset log_start_offset = 0;
  Offset recovery_point_offset = 0;     ///< Records below are on stable storage.
  Offset recovery_segment_base = 0;     ///< The segment that holds the recovery point ...
  std::uint64_t recovery_position = 0;  ///< ... and its byte position there.
  Offset clean_end_offset = -1;         ///< Log end at a clean close, -1 otherwise.
  Offset compacted_to_offset = 0;       ///< First offset that compaction has not looked at.
  bool operator==(const PartitionCheckpoint&) const = default;
};

/// A batch that the journal has and the segment may have lost.
struct JournalledBatch {
  format::JournalPlace place{};
  std::vector<std::byte> bytes{};
};

struct PartitionRequest {
  TopicPartition name{};
  format::Id topic_id{};
  std::string directory{};
  TopicConfig config{};
  bool mapped_writes = true;
  PartitionCheckpoint checkpoint{};
  /// How the last writer ended. `clean`: whatever the files have is no torn tail of ours.
  segment::LastStop stop = segment::LastStop::power_cut;
  /// In the order of the journal. Put back into the segments before anything is recovered.
  std::vector<JournalledBatch> journalled{};
  /// Whether the transaction that a producer committed with a marker of this epoch was decided, as far as the
  /// journal tells. Asked about markers behind the recovery point; empty: all were.
  std::function<bool(ProducerId producer_id, ProducerEpoch epoch)> is_decided{};
  /// Log bytes behind the last producer snapshot from which on a checkpoint writes another: bounds what an
  /// open has to replay. Arbitrary: a tenth of a second of reading.
  std::uint64_t snapshot_every_bytes = 16ULL << 20;
};

/// Whether to wait if another maintenance step of the partition is running.
enum class IfBusy : std::uint8_t { wait, skip };

class Partition final : public PartitionLog, public std::enable_shared_from_this<Partition> {
 public:
  ~Partition() override;

  /// Opens a partition directory, creating it if it is missing, and recovers it. See partition_recovery.cpp.
  /// Errors: those of the file system. Damage is not an error: it is contained, reported and answered by
  /// `damage()`.
  static Result<std::shared_ptr<Partition>> open(const PartitionEnvironment& environment,
                                                 const PartitionRequest& request);

  // Append: partition_append.cpp.
  /// Appends a framed batch. On return it is published: it survives the death of the process.
  /// @param rule  where the batch's sequence comes from, if it has a producer.
  /// Errors: record_too_large, storage_full, storage_failed, closed, ...; as ProducerState::admit: not
  /// written.
  /// Threads: any.
  /// Cost: the append mutex, one copy of the batch.
  Result<PartitionAppend> append(const format::FramedBatch& batch,
                                 Durability durability = Durability::published,
                                 SequenceRule rule = SequenceRule::given);
  /// ok if a batch of so many bytes may be appended, as things are.
  /// Errors: as append.
  Result<> check_batch_size(std::uint64_t size) const {
    const base::MutexLock lock(append_mutex_);
    return check_appendable(size);
  }
  /// Appends the marker that ends a transaction. Readers under read_committed see the transaction's end only
  /// once `release_transaction` says so. An error means that it is not there: a marker that was appended once
  /// more, because a flush had failed, would end nothing. The flush for flush.messages is left to
  /// `flush_marker`.
  /// @param decision_lsn  of the journal frame that decided it: nothing is called durable here before that
  /// is. 0: it was aborted, which needs no frame.
  /// @param durability  as that of the transaction's batches.
  /// Errors: as append.
  Result<PartitionAppend> append_marker(const format::MarkerBatch& marker, std::uint64_t decision_lsn,
                                        Durability durability = Durability::durable) {
    return append_held_back(marker.framed(), durability, SequenceRule::given, decision_lsn);
  }
  Result<PartitionAppend> append_marker(const format::EndMarker& marker, std::uint64_t decision_lsn,
                                        Durability durability = Durability::durable) {
    return append_marker(format::MarkerBatch(marker), decision_lsn, durability);
  }
  /// After the release, which must not depend on it.
  /// Errors: as sync_to. The next append asks again.
  Result<> flush_marker(const PartitionAppend& marked) {
    return marked.is_flush_due ? sync_to(marked.last_offset + 1) : Result<>();
  }
  /// Lets the last stable offset pass the transaction that began at this offset, and whose marker was
  /// appended. -1: nothing. A short lock of its own, never the append mutex.
  void release_transaction(Offset first_offset);
  /// Where the transactions began that are open or not released yet, up to `last` and in order.
  std::vector<Offset> held_back(Offset last) const;
  /// Whether `first` is the oldest of them, and no other began up to `last`.
  /// Cost: two loads.
  bool holds_back_only(Offset first, Offset last) const;
  /// Wakes who waits for the last stable offset, after it was moved through a VisibilityGate.
  void notify_released() { listeners().notify_after_unlock(); }
  /// The sequence that the producer has to go on with here; nothing if it is not known in this epoch.
  std::optional<Sequence> next_sequence(ProducerId producer_id, ProducerEpoch epoch) const;
  /// A copy of what is known of a producer here; nothing if it is not known.
  std::optional<ProducerInfo> producer(ProducerId producer_id) const;
  std::map<ProducerId, ProducerInfo> producers() const override;
  /// Whether the transaction of this producer that began at this offset was aborted, as far as the indexes of
  /// the segments tell.
  /// Errors: as collect_aborted.
  Result<bool> has_aborted(ProducerId producer_id, Offset first_offset);
  /// As ProducerState::expire, by the wall clock.
  std::size_t expire_producers(std::int64_t older_than_ms);

  /// Room for a batch of `size` bytes at the end of the active segment, with the append mutex held until
  /// `finish_claim` or `abandon_claim`, which must come from the same thread.
  /// Errors: as append, and invalid_state if this thread holds a claim already.
  Result<base::MutableByteSpan> claim(std::uint64_t size) SERIATIM_NO_THREAD_SAFETY_ANALYSIS;
  /// ok, or invalid_state if this thread holds a claim: whatever takes the append mutex would wait for
  /// itself.
  /// @param doing  what is to come after the claim, for the message.
  Result<> check_unclaimed(std::string_view doing) const {
    const std::thread::id holder = claim_holder_.load(std::memory_order_relaxed);
    if (holder == std::thread::id() || holder != std::this_thread::get_id()) [[likely]]
      return {};
    return is_claimed(doing);
  }
  Result<PartitionAppend> finish_claim(const format::FramedBatch& batch,
                                       Durability durability = Durability::published)
      SERIATIM_NO_THREAD_SAFETY_ANALYSIS;
  void abandon_claim() noexcept SERIATIM_NO_THREAD_SAFETY_ANALYSIS;

  // Durability: partition_sync.cpp.
  /// Returns once the batch and every earlier one of the partition are on stable storage: through the journal
  /// if it was staged there, else by a sync of the segment; also where the journal finds no room.
  /// Errors: storage_failed: final; outcome unknown · as sync_to.
  Result<> wait_durable(const PartitionAppend& appended);
  /// Returns once every record below `offset` is on stable storage. Concurrent callers share syncs: whoever
  /// finds none running runs one for all.
  /// Errors: storage_failed: final; outcome unknown.
  Result<> sync_to(Offset offset);
  /// Whether `flush.ms` has passed since the first look at which something was not yet durable. One thread
  /// asks, and waits for nothing.
  bool is_flush_overdue(std::int64_t now_ns);
  /// Syncs everything appended so far, and the files of segments sealed so far.
  /// Errors: as sync_to.
  Result<> sync();
  /// The same in two steps, so that several partitions can be taken at one moment, and then be synced.
  SyncMark sync_mark() const;
  Result<> sync_to(const SyncMark& mark);
  /// Brings everything appended so far to stable storage, and calls nothing durable: with a marker below,
  /// that is to be said only when all of its transaction is (PartitionEnvironment::make_decisions_durable).
  /// Errors: as sync_to · invalid_state: this thread holds a claim, for which it would wait.
  Result<> flush();
  /// For who keeps a list of partitions to be flushed: whether this one is there, and that it was entered, or
  /// taken out and will be flushed next. A batch appended before it was found there is flushed by the thread
  /// that takes it out after that: a flush takes the mutex of the appends.
  bool is_unflushed() const noexcept { return is_unflushed_.load(std::memory_order_acquire); }
  void set_unflushed(bool is_entered) noexcept { is_unflushed_.store(is_entered, std::memory_order_release); }

  // Housekeeping: partition_maintenance.cpp.
  /// Begins a new segment if the active one holds anything.
  Result<> roll();
  /// Moves the log start. The caller has checked the range against policy, and stores it in the catalog
  /// first.
  Result<> advance_log_start(Offset offset);
  struct RetentionResult {
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
  };
  /// Runs `step` while no other maintenance step of this partition runs: retention, compaction, the end of
  /// the partition. Appends and readers do not wait for it.
  /// @return false: another step was running and was not waited for.
  /// Errors: invalid_state: this thread holds a claim, for which the step might wait · those of `step`.
  Result<bool> maintain(IfBusy if_busy, const std::function<Result<>()>& step);
  /// Deletes what the configuration says is too old or too much (kafka-log 2.10) and what lies below the log
  /// start. A maintenance step; one that was skipped has deleted nothing.
  Result<RetentionResult> apply_retention(IfBusy if_busy = IfBusy::wait, const ReadProgress& read = {});
  /// Puts `replacement` in the place of the sealed segments [first_base, end_base); see compaction. Part of a
  /// maintenance step. `swap_files` renames the files on disk; a reader that meets no file meanwhile waits
  /// for it (reload). Appends go on.
  Result<> replace_segments(Offset first_base, Offset end_base,
                            const std::vector<segment::SegmentPtr>& replacement,
                            const std::function<Result<>()>& swap_files);
  /// Takes effect with the next append; segment limits with the next segment, or with one that is empty if a
  /// batch needs the room.
  void set_config(TopicConfig config) noexcept;
  TopicConfig config() const;
  /// ok, or why nothing can be changed any more: closed, deleted.
  Result<> check_open() const;
  /// The state to store in the catalog; everything below its recovery point was synced.
  PartitionCheckpoint checkpoint() const;
  /// Writes a producer snapshot if the last one is far behind.
  /// @return how far `checkpoint` will reach, once the partition was synced to there.
  /// Errors: storage_full, io_error: the snapshot.
  Result<SyncMark> prepare_checkpoint();
  /// Whether the catalog has it already, but for the end of a clean close, which means nothing while this is
  /// open.
  bool is_stored(const PartitionCheckpoint& checkpoint) const;
  /// To be told when a checkpoint is in the catalog. Removes producer snapshots that nothing needs any more.
  void checkpoint_stored(const PartitionCheckpoint& checkpoint);
  /// Removes the producer snapshots that no recovery would begin at: all but those at the base of a segment,
  /// the newest at or below the stored recovery point, and the newest of all.
  /// @return how many.
  /// Errors: as the file system says; what is left is removed another time.
  Result<std::size_t> prune_snapshots();
  /// Base offset of the segment that the recovery point in the catalog lies in. Segments below it may be
  /// rewritten: a crash never meets a recovery point inside a file that has changed.
  Offset stored_recovery_base() const;
  void set_compacted_to(Offset offset);
  /// Syncs, trims the active segment to its exact length, writes the producer snapshot, and refuses appends
  /// and maintenance from then on. Waits for a maintenance step that runs.
  /// @return the checkpoint of a clean close.
  Result<PartitionCheckpoint> close();
  /// Refuses everything from then on, closes files, and leaves what is on disk to be removed. For a deleted
  /// topic. Waits for a maintenance step that runs: it must not meet the files of another topic that gets the
  /// name. Lets go of the maps: who still has a handle keeps no bytes.
  /// @return the segments that readers hold: what they hold takes space until they let go.
  std::vector<segment::SegmentPtr> abandon();

  /// The damage that recovery found and had to contain; nullopt if nothing.
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

  Error is_claimed(std::string_view doing) const;
  Result<RetentionResult> delete_expired(const ReadProgress& read) SERIATIM_REQUIRES(maintenance_mutex_);
  Result<PartitionCheckpoint> close_files() SERIATIM_REQUIRES(maintenance_mutex_);
  Result<> check_not_closed() const SERIATIM_REQUIRES(append_mutex_);
  /// One look where nothing speaks against it, which is nearly always; `why_not_appendable` finds out what
  /// does.
  Result<> check_appendable(std::uint64_t size) const SERIATIM_REQUIRES(append_mutex_) {
    const bool has_offsets = offsets_.log_end() <= LogOffsets::appendable_end_max;
    if (size <= batch_bytes_max_ && has_offsets && !closed_ && !environment_.health.has_failed()) [[likely]]
      return {};
    return why_not_appendable(size);
  }
  Result<> why_not_appendable(std::uint64_t size) const SERIATIM_REQUIRES(append_mutex_);
  Result<const format::StoredBatch*> admit(const format::BatchHeader& header, SequenceRule rule,
                                           const ProducerInfo* producer) const
      SERIATIM_REQUIRES(append_mutex_);
  Result<> roll_if_needed(std::uint64_t size, Offset last_offset, std::int64_t max_timestamp_ms)
      SERIATIM_REQUIRES(append_mutex_);
  Result<> roll_locked() SERIATIM_REQUIRES(append_mutex_);
  Result<> widen_active() SERIATIM_REQUIRES(append_mutex_);
  Result<> write_snapshot() SERIATIM_REQUIRES(append_mutex_);
  Result<> write_snapshot_if_far();
  void note_snapshot(Offset offset, std::uint64_t appended_bytes) SERIATIM_REQUIRES(append_mutex_);
  /// An admitted batch on its way into the log.
  struct Admitted {
    const format::FramedBatch& batch;
    Durability durability = Durability::published;
    ProducerInfo* producer = nullptr;  ///< As ProducerState::find knows it.
    /// The results of the steps: returned, it would be copied at each, a tenth of an append.
    PartitionAppend& appended;
  };
  Result<> publish(const segment::PlacedBatch& placed, const Admitted& admitted)
      SERIATIM_REQUIRES(append_mutex_);
  Result<> note(const segment::PlacedBatch& placed, const Admitted& admitted)
      SERIATIM_REQUIRES(append_mutex_);
  Result<> stage(const segment::PlacedBatch& placed, const Admitted& admitted)
      SERIATIM_REQUIRES(append_mutex_);
  Result<> note_producer(const segment::PlacedBatch& placed, const Admitted& admitted)
      SERIATIM_REQUIRES(append_mutex_);
  Result<> note_marker(const segment::PlacedBatch& placed, const Admitted& admitted)
      SERIATIM_REQUIRES(append_mutex_);
  void seal_transactions() SERIATIM_REQUIRES(append_mutex_);
  /// @param decision_lsn  of the decision that the batch is a marker of; 0: of none.
  Result<PartitionAppend> append_held_back(const format::FramedBatch& batch, Durability durability,
                                           SequenceRule rule, std::uint64_t decision_lsn);
  void tell_counters() noexcept;
  void replace_list(std::vector<segment::SegmentPtr> segments) SERIATIM_EXCLUDES(list_mutex_);
  /// Replaces the list of segments by a copy that `change` has changed: its front in a maintenance step, its
  /// end with the append mutex.
  void change_list(const std::function<void(std::vector<segment::SegmentPtr>&)>& change)
      SERIATIM_EXCLUDES(list_mutex_);
  segment::SegmentLimits limits() const SERIATIM_REQUIRES(append_mutex_);
  void forget_released_segments() const SERIATIM_REQUIRES(append_mutex_);

  /// @param is_covered  asked with the sync mutex held.
  Result<> sync_until(const std::function<bool()>& is_covered);
  Result<> make_durable(const SyncMark& mark);
  Result<> sync_segment(segment::Segment& segment);
  void note_synced(const SyncMark& mark) SERIATIM_REQUIRES(sync_mutex_);

  const format::Id topic_id_;
  base::Mutex maintenance_mutex_;
  base::Mutex list_mutex_;  ///< One change of the list of segments at a time. After all others.
  /// Held while the files of segments change hands, for readers that met no file; before list_mutex_. Appends
  /// do not wait for it, nor do checkpoints and time-outs: it is held over waits for the disk.
  base::Mutex swap_mutex_;
  mutable base::WordMutex append_mutex_;
  segment::SegmentWriterPtr active_ SERIATIM_GUARDED_BY(append_mutex_);  ///< Of the last one in the list.
  // Every batch from here on is staged in the journal. The batches below have to be durable before a frame
  // can promise anything.
  Offset journalled_from_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  TopicConfig config_ SERIATIM_GUARDED_BY(append_mutex_);
  std::uint64_t batch_bytes_max_ SERIATIM_GUARDED_BY(append_mutex_);  ///< By the configuration.
  bool mapped_writes_ SERIATIM_GUARDED_BY(append_mutex_);
  bool closed_ SERIATIM_GUARDED_BY(append_mutex_) = false;
  ProducerState producers_ SERIATIM_GUARDED_BY(append_mutex_);
  /// In the active segment, or open where it begins.
  bool has_transactions_ SERIATIM_GUARDED_BY(append_mutex_) = false;
  /// Of the newest decision whose marker is in the log.
  std::uint64_t decided_lsn_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  std::vector<segment::SegmentPtr> unsynced_
      SERIATIM_GUARDED_BY(append_mutex_);  // sealed since the last sync
  Offset compacted_to_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  PartitionCheckpoint stored_ SERIATIM_GUARDED_BY(append_mutex_);  ///< As the catalog was given it last.
  Offset stored_recovery_base_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  Offset stored_recovery_point_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  // Producer snapshots on disk, ascending, and how much was appended when the last was taken.
  std::vector<Offset> snapshots_ SERIATIM_GUARDED_BY(append_mutex_);
  std::int64_t snapshot_at_bytes_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  const std::uint64_t snapshot_every_bytes_;
  base::Mutex
      snapshot_mutex_;  // one writer of snapshot files at a time; taken with the append mutex or alone
  std::optional<std::string> damage_ SERIATIM_GUARDED_BY(append_mutex_);
  // Deleted and still pinned by somebody: only the segment knows that, the pins do not keep it alive.
  mutable std::vector<segment::SegmentPtr> deleted_segments_ SERIATIM_GUARDED_BY(append_mutex_);
  // No longer in the list, and their files not all deleted: a deletion failed on the way.
  std::vector<segment::SegmentPtr> undeleted_ SERIATIM_GUARDED_BY(maintenance_mutex_);
  std::vector<std::byte> claim_buffer_
      SERIATIM_GUARDED_BY(append_mutex_);  // where a claim is filled if writes are not mapped
  std::size_t claimed_bytes_ SERIATIM_GUARDED_BY(append_mutex_) = 0;
  std::atomic<std::thread::id> claim_holder_{};

  // How far the last finished sync covers, and whether one is running.
  mutable base::Mutex sync_mutex_;
  base::ConditionVariable sync_done_;
  bool sync_running_ SERIATIM_GUARDED_BY(sync_mutex_) = false;
  std::uint32_t sync_waiters_ SERIATIM_GUARDED_BY(sync_mutex_) = 0;
  SyncMark synced_ SERIATIM_GUARDED_BY(sync_mutex_);   ///< At most what is durable: the journal has more.
  SyncMark flushed_ SERIATIM_GUARDED_BY(sync_mutex_);  ///< Is on stable storage, called durable or not.
  std::atomic<bool> is_unflushed_{false};              ///< Is in the list of those to be flushed.

  /// Of the configuration, for is_flush_overdue, which must not wait for the append mutex: a roll holds it.
  std::atomic<std::int64_t> flush_ms_;
  // The state that is_flush_overdue saw last: not durable since when, up to where.
  std::int64_t undurable_since_ns_ = -1;
  Offset undurable_end_ = 0;

  base::SingleWriterCounter appended_batches_;
  base::SingleWriterCounter appended_records_;
  base::SingleWriterCounter appended_bytes_;
};

using PartitionPtr = std::shared_ptr<Partition>;

}  // namespace seriatim::partition
