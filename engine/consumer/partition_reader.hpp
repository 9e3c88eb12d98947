// Hands out the records of one partition in order, from a position on, across polls: where it stands inside a
// batch included.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "consumer/record_pool.hpp"
#include "format/batch/record_cursor.hpp"
#include "partition/read/aborted_transactions.hpp"
#include "partition/read/fetch_cursor.hpp"

namespace seriatim::consumer {

/// The records and bytes that one poll may still take; shared by all its partitions.
struct FetchBudget {
  std::size_t records_left = 0;
  std::size_t bytes_left = 0;  ///< Stored bytes of the batches that are touched.
  bool check_crcs = true;
  bool has_taken = false;      ///< The first batch of a poll comes whatever its size.
  bool splits_batches = true;  ///< Else a batch comes whole, with more records than are left.
};

/// One thread at a time.
class PartitionReader {
 public:
  PartitionReader(partition::PartitionLogPtr log, std::shared_ptr<const TopicPartition> name,
                  std::shared_ptr<RecordPool> pool) noexcept;
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  /// From now on hands out only what is on stable storage.
  void show_durable_only() noexcept { durable_only_ = true; }
  /// From now on hands out records of open and aborted transactions too.
  void show_uncommitted() noexcept { is_committed_only_ = false; }
  /// From now on hands out those of committed ones only: as it begins. A seek is to follow.
  void show_committed() noexcept { is_committed_only_ = true; }

  /// Goes on from `offset`. Whether it exists is found out by the next take.
  void seek(Offset offset) noexcept;
  /// Offset of the next record; that of the next batch once a batch is used up, whatever compaction took from
  /// its end.
  Offset position() const noexcept { return position_; }
  partition::PartitionLog& log() const noexcept { return *log_; }
  const partition::PartitionLogPtr& log_ptr() const noexcept { return log_; }
  const std::shared_ptr<const TopicPartition>& name() const noexcept { return name_; }
  /// The end of the records that may be handed out at this moment.
  Offset visible_end() const noexcept {
    if (is_committed_only_) return durable_only_ ? log_->durable_stable_offset() : log_->last_stable_offset();
    return durable_only_ ? log_->durable_offset() : log_->high_watermark();
  }
  /// Whether a take would do anything but find nothing.
  bool has_unread() const noexcept {
    return position_ < visible_end() || position_ > log_->high_watermark() || stuck_ || log_->is_deleted();
  }

  /// Appends records to `out`, as one range, and moves behind them. Control batches, batches of aborted
  /// transactions and what lies below the position are skipped; the position moves over them also where
  /// nothing comes behind them.
  /// @param bound  hands out what lies below: what `visible_end` has said at some time, so that several
  /// partitions can be looked at first, and read from then.
  ///
  /// Errors, only if nothing was appended (what follows records that were appended is told by the next call);
  /// the position is as it was: offset_out_of_range, corrupt_record, unsupported_codec,
  /// unknown_topic_or_partition (deleted), and those of mapping a segment.
  /// @return how many records were appended.
  Result<std::size_t> take(FetchBudget& budget, detail::ConsumerRecordsImpl& out, Offset bound);

 private:
  Result<> fill(FetchBudget& budget, detail::ConsumerRecordsImpl& out);
  Result<bool> open_batch(FetchBudget& budget);
  Result<bool> is_hidden();
  Result<> skip_hidden(bool check_crcs);
  Result<> deliver(FetchBudget& budget, detail::ConsumerRecordsImpl& out);
  std::size_t prefetch_distance() const noexcept;
  void attach(detail::ConsumerRecordsImpl& out);
  void finish_batch() noexcept;
  void forget_place() noexcept;

  partition::PartitionLogPtr log_;
  std::shared_ptr<const TopicPartition> name_;
  std::shared_ptr<RecordPool> pool_;
  partition::FetchCursor cursor_;
  Offset position_ = 0;
  Offset bound_ = 0;
  bool durable_only_ = false;
  bool is_committed_only_ = true;
  partition::AbortedTransactions aborted_;

  // The batch that is being handed out; the cursor stands before it.
  bool in_batch_ = false;
  partition::FetchedBatch batch_{};
  SectionRef section_{};
  format::RecordCursor records_{{}, 0};
  std::int32_t decoded_ = 0;
  // The batch before the position is damaged behind its last record: said until somebody seeks, because the
  // position no longer shows it.
  std::optional<Error> stuck_{};
};

}  // namespace seriatim::consumer
