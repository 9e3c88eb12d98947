// The state of every producer that has written to a partition, derived from its batches alone: `admit`
// decides whether a batch may be appended, `note` records it once it is in the log, and the snapshot files
// carry all of it over a restart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch/frame.hpp"
#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "format/producer_snapshot.hpp"
#include "format/producer_window.hpp"
#include "os/vfs.hpp"

namespace seriatim::partition {

/// Where the sequence of a batch comes from.
enum class SequenceRule : std::uint8_t {
  given,      ///< From the application, which may repeat itself: a duplicate is recognised.
  predicted,  ///< From a guess at what comes next: equal sequences are no duplicate.
};

/// A transaction that a marker has ended.
struct EndedTransaction {
  ProducerId producer_id = -1;
  Offset first_offset = -1;
  Offset last_offset = -1;  ///< The marker's.
  bool is_aborted = false;
  /// The first offset of the oldest transaction that is still open, else the one behind the marker.
  Offset last_stable_offset = -1;

  /// Its entry in the transaction index, if it was aborted.
  format::AbortedTransaction index_entry() const noexcept {
    return {.producer_id = producer_id,
            .first_offset = first_offset,
            .last_offset = last_offset,
            .last_stable_offset = last_stable_offset};
  }
};

/// The last batches of one producer in one epoch, the newest last.
class StoredBatches {
 public:
  /// Kafka's number: a producer may have that many requests in flight.
  static constexpr std::size_t capacity = 5;

  std::span<const format::StoredBatch> all() const noexcept { return {batches_.data() + first_, count_}; }
  bool empty() const noexcept { return count_ == 0; }
  const format::StoredBatch& newest() const noexcept { return batches_[first_ + count_ - 1]; }
  void push(const format::StoredBatch& batch) noexcept;
  void clear() noexcept { first_ = count_ = 0; }
  /// The batch of exactly these sequences; nullptr if it is none of them.
  const format::StoredBatch* find(Sequence first, Sequence last) const noexcept;

 private:
  // Twice the room: they move to the front with every `capacity`th batch, not with every one.
  std::array<format::StoredBatch, 2 * capacity> batches_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

struct ProducerInfo {
  ProducerEpoch epoch = -1;
  std::int32_t coordinator_epoch = -1;
  std::int64_t last_timestamp_ms = -1;  ///< Of its newest record or marker; what an application says it is.
  /// When it was last heard of, by the wall clock: the first look behind its last batch.
  std::int64_t last_activity_ms = -1;
  bool was_heard = false;         ///< Since that look.
  Offset open_first_offset = -1;  ///< Of its transaction; -1: none is open.
  StoredBatches batches{};

  /// The sequence that a batch of this epoch has to begin with.
  Sequence next_sequence() const noexcept {
    return batches.empty() ? 0 : format::advance_sequence(batches.newest().last_sequence, 1);
  }
};

/// Not thread-safe; the partition's append mutex guards it.
class ProducerState {
 public:
  /// The state of a producer here, for the calls that take it; nullptr: there is none, or it was forgotten.
  /// Good until `expire` and `load_snapshot`.
  const ProducerInfo* find(ProducerId producer_id) const noexcept;
  ProducerInfo* find(ProducerId producer_id) noexcept {
    return const_cast<ProducerInfo*>(std::as_const(*this).find(producer_id));
  }

  /// Decides on a data batch that has a producer; changes nothing.
  /// @param producer  what `find` knows of its producer.
  /// @return the first copy if the batch is a duplicate of one (INV-7), until the next `note`; nullptr if it
  /// may be appended.
  /// Errors: invalid_producer_epoch · out_of_order_sequence_number · invalid_txn_state: a plain batch in an
  /// open transaction.
  static Result<const format::StoredBatch*> admit(const ProducerInfo* producer,
                                                  const format::BatchHeader& header, SequenceRule rule);
  /// Decides on a marker.
  /// Errors: invalid_producer_epoch: the partition has seen a newer one.
  static Result<> admit_marker(const ProducerInfo* producer, const format::BatchHeader& header);

  /// Enters a batch that is in the log. Batches without a producer change nothing.
  /// @param batch  the whole batch: a marker's record is decoded.
  /// Errors: corrupt_record: a control batch that does not decode.
  Result<> note(const format::BatchHeader& header, base::ByteSpan batch);
  /// Makes sure that noting this batch, of a producer that is known or not, needs no memory.
  void make_room(const ProducerInfo* known, const format::BatchHeader& header);
  /// The same of a batch with data and a producer, of which the header need not know its place.
  /// @param known  what `find` knows of its producer.
  /// @return whether a transaction begins with it.
  bool note_data(ProducerInfo* known, const format::BatchHeader& header, Offset base_offset);
  /// The same of a control batch of which `ended_by` has told.
  void note_marker(ProducerInfo* known, const format::BatchHeader& header, Offset base_offset,
                   const format::ControlMark& mark, const std::optional<EndedTransaction>& ended);
  /// The transaction that this control batch will end, once it is noted; nothing if none of its producer is
  /// open.
  /// Errors: as `note`.
  Result<std::optional<EndedTransaction>> ended_by(const format::BatchHeader& header,
                                                   base::ByteSpan batch) const;
  /// The same, of one that was read and will be at `base_offset`.
  Result<std::optional<EndedTransaction>> ended_by(const ProducerInfo* producer,
                                                   const format::BatchHeader& header, Offset base_offset,
                                                   const format::ControlMark& mark) const;

  const std::map<ProducerId, ProducerInfo>& all() const noexcept { return producers_; }
  /// Where the open transactions began, in order.
  const std::vector<Offset>& open() const noexcept { return open_; }
  /// First offset of the oldest open transaction; -1 if none is open.
  Offset first_open_offset() const noexcept { return open_.empty() ? -1 : open_.front(); }
  /// Forgets producers that were last heard of before `older_than_ms`, unless they have a transaction open.
  /// When that was is the wall clock's to say: records may carry the times of events long ago. A producer
  /// heard since the last look was heard now, which spares each batch a look at the clock.
  /// @return how many.
  std::size_t expire(std::int64_t older_than_ms, std::int64_t now_ms);

  bool empty() const noexcept { return producers_.empty(); }
  /// Offset up to which batches were noted, exclusive.
  Offset end_offset() const noexcept { return end_offset_; }
  void set_end_offset(Offset offset) noexcept { end_offset_ = offset; }

  /// Writes `<end_offset>.snapshot` into `directory`, unless the last snapshot written or loaded is of that
  /// offset, and beside it `.producers`, if there are any. Synced and renamed into place.
  /// @param now_ms  as of expire: a restart knows by it when each was last heard of.
  Result<> write_snapshot(os::Vfs& vfs, const std::string& directory, std::int64_t now_ms);
  /// Replaces the state by that of a snapshot. Where its `.producers` is missing or does not fit, the last
  /// batch of each producer is known.
  /// @return what is wrong with the `.producers`, if it cannot be used.
  /// Errors: corrupt_metadata, unsupported_version: the snapshot; take an older one.
  Result<std::optional<Error>> load_snapshot(os::Vfs& vfs, const std::string& directory, Offset offset);

 private:
  void date_heard(std::int64_t now_ms) noexcept;
  ProducerInfo& note_epoch(ProducerInfo* known, const format::BatchHeader& header);
  ProducerInfo& add_producer(ProducerId id);
  void restore(const format::ProducerSnapshotEntry& entry,
               std::span<const format::ProducerWindowEntry> window);
  Result<std::vector<format::ProducerWindowEntry>> load_window(os::Vfs& vfs, const std::string& directory,
                                                               Offset offset) const;

  std::map<ProducerId, ProducerInfo> producers_;
  std::map<ProducerId, ProducerInfo> room_;  ///< None, or one for the next that is new.
  std::vector<Offset> open_;
  Offset end_offset_ = 0;
  Offset snapshot_offset_ = -1;
};

}  // namespace seriatim::partition
