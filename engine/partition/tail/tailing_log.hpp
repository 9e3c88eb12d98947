// A partition as seen by a read-only process, beside a live writer or with none: it looks at the files and
// believes only whole, valid batches.
//
// The writer's memory cannot be seen from here, so the end of the log is found by walking from the last known
// end: a batch whose checksum fits is complete, and anything else is the end for the moment, or damage, which
// SegmentTail tells apart. That costs one CRC per batch, once. The decided transactions are found in the same
// way, from the last producer snapshot on: see tailing_log_transactions.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "partition/partition.hpp"
#include "partition/partition_log.hpp"
#include "partition/producer_state.hpp"
#include "segment/segment_store.hpp"
#include "segment/segment_tail.hpp"

namespace seriatim::partition {

struct TailingRequest {
  TopicPartition name{};
  std::string directory{};
  bool may_have_gaps = false;
  /// The state that the writer has stored of this partition, looked up anew; nothing: the partition is gone,
  /// or nothing was stored yet. Empty: nobody knows.
  std::function<Result<std::optional<PartitionCheckpoint>>()> stored{};
};

class TailingLog final : public PartitionLog {
 public:
  /// Looks at the directory for the first time. One that the writer has not made yet is an empty partition,
  /// until it is there.
  /// Errors: those of the file system.
  static Result<std::shared_ptr<TailingLog>> open(const PartitionEnvironment& environment,
                                                  const TailingRequest& request);

  /// Finds new batches and segments, and once a second what was deleted. One thread at a time does the work,
  /// others return at once.
  Result<> refresh() override;
  /// Looks at the whole directory: what retention deleted is forgotten, what compaction put in its place is
  /// taken. A partition that is gone, or has been replaced by a shorter one, counts as deleted.
  Result<> reload() override;
  /// As the base class, and what this process has seen ended itself: the writer's index is written beside the
  /// marker, and may be seen after it.
  Result<> collect_aborted(const segment::SegmentPtr& segment, Offset from, Offset upper,
                           std::vector<format::AbortedTransaction>& out) override;
  /// As the newest snapshot and the batches behind it tell; where the writer has begun another segment since,
  /// those with an open transaction, and who came later.
  std::map<ProducerId, ProducerInfo> producers() const override;
  /// Between the beginning of an exchange of segments and its end, ten seconds at most.
  bool is_changing() const noexcept override;
  /// How many aborted transactions it knows by itself: those of the last segments. The indexes have the
  /// others.
  std::size_t remembered_aborts() const;
  /// Takes over what the catalog says of the log start, which the files do not.
  Result<> look_at_log_start();

 private:
  struct Known {
    Offset base_offset = 0;
    segment::SegmentFileInfo file{};  ///< When it was looked at: where it differs, another file has its name.
    bool is_sealed = false;  ///< Described once and for all; else looked at again by the next reload.
    segment::SegmentPtr segment{};
  };

  /// Whether to wait for the end of a compaction's exchange of files.
  enum class Patience : std::uint8_t { none, waits };

  /// A commit whose marker may not be on stable storage.
  struct Unsettled {
    Offset first = 0;
    Offset marker = 0;
  };

  TailingLog(const PartitionEnvironment& environment, const TailingRequest& request);
  Result<> look_at_directory(Patience patience) SERIATIM_REQUIRES(mutex_);
  Result<std::optional<segment::DirectoryListing>> list_files() SERIATIM_REQUIRES(mutex_);
  Result<> look_up_stored() SERIATIM_REQUIRES(mutex_);
  segment::KnownEnd known_end_of_last(Offset base_offset) const SERIATIM_REQUIRES(mutex_);
  Result<bool> is_still_so(const segment::DirectoryListing& listing) const SERIATIM_REQUIRES(mutex_);
  Error exchange_error() const;
  void note_change() noexcept SERIATIM_REQUIRES(mutex_);
  segment::KnownEnd known_end_of(const segment::SegmentFileInfo& file, Offset next_base) const
      SERIATIM_REQUIRES(mutex_);
  Result<> take_listing(const segment::DirectoryListing& listing) SERIATIM_REQUIRES(mutex_);
  Result<std::vector<Known>> describe_older(const std::vector<segment::SegmentFileInfo>& files)
      SERIATIM_REQUIRES(mutex_);
  Result<Known> describe(const segment::SegmentFileInfo& file, Offset next_base) SERIATIM_REQUIRES(mutex_);
  Result<> extend_last() SERIATIM_REQUIRES(mutex_);
  Result<> open_last(Offset base_offset) SERIATIM_REQUIRES(mutex_);
  void forget_partition() SERIATIM_REQUIRES(mutex_);
  Result<bool> has_bytes_at(Offset base_offset, std::uint64_t position);
  Result<> extend_active() SERIATIM_REQUIRES(mutex_);
  Result<bool> enter_next_segment() SERIATIM_REQUIRES(mutex_);
  Result<> publish(bool list_changed) SERIATIM_REQUIRES(mutex_);

  // tailing_log_transactions.cpp
  void begin_noting(const std::vector<Offset>& snapshots) SERIATIM_REQUIRES(mutex_);
  Result<> note_batches(Offset end) SERIATIM_REQUIRES(mutex_);
  Result<> note_segment(segment::Segment& segment) SERIATIM_REQUIRES(mutex_);
  void note_batch(const format::BatchHeader& header, base::ByteSpan batch) SERIATIM_REQUIRES(mutex_);
  void forget_ended(Offset kept_from) SERIATIM_REQUIRES(mutex_);
  void forget_aborted(Offset kept_from) SERIATIM_REQUIRES(mutex_);
  Result<> check_unreplaced(const Known& known) SERIATIM_REQUIRES(mutex_);
  void note_commit(Offset first, Offset marker) SERIATIM_REQUIRES(mutex_);
  void advance_durable(Offset end) SERIATIM_REQUIRES(mutex_);

  const std::function<Result<std::optional<PartitionCheckpoint>>()> look_up_;
  mutable base::Mutex mutex_;
  PartitionCheckpoint stored_ SERIATIM_GUARDED_BY(mutex_);
  Offset requested_start_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::vector<Known> older_ SERIATIM_GUARDED_BY(mutex_);                  // every segment but the last
  std::optional<segment::SegmentTail> tail_ SERIATIM_GUARDED_BY(mutex_);  // of the last one
  segment::SegmentPtr active_ SERIATIM_GUARDED_BY(mutex_);
  std::int64_t next_look_ns_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::atomic<std::int64_t> changing_since_ns_{-1};  // -1: nothing is being exchanged

  bool is_noting_ SERIATIM_GUARDED_BY(mutex_) = false;
  ProducerState producers_ SERIATIM_GUARDED_BY(mutex_);  // what is open; others are forgotten
  std::vector<format::AbortedTransaction> aborted_ SERIATIM_GUARDED_BY(mutex_);  // by marker, the newest ones
  Offset noted_from_ SERIATIM_GUARDED_BY(mutex_) = 0;  // of `aborted_`: those with a marker from here on
  Offset damaged_to_ SERIATIM_GUARDED_BY(mutex_) = 0;  // where noting has passed damage
  std::vector<Unsettled> unsettled_ SERIATIM_GUARDED_BY(mutex_);  // by marker, above the recovery point
};

}  // namespace seriatim::partition
