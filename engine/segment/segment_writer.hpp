// The one appender of a segment. Without its SegmentWriter a segment can only be read, and brought to stable
// storage.
//
// Concurrency: one thread at a time (in a partition, under its append mutex), beside any number of readers,
// which learn of a batch by `publish`. Sealing and closing trim the files to their exact length, because
// Kafka's reader takes a tail of zeros for corruption.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/counter.hpp"
#include "format/batch_header.hpp"
#include "segment/log_room.hpp"
#include "segment/segment.hpp"

namespace seriatim::segment {

/// A batch that lies in a segment, offsets stamped, not yet published.
struct PlacedBatch {
  std::uint64_t position = 0;
  std::uint32_t size_bytes = 0;
  Offset base_offset = 0;
  Offset last_offset = 0;
  std::int64_t max_timestamp_ms = -1;
};

/// On cache lines of its own: readers poll the segment's end, and nothing of this.
class alignas(base::cache_line_bytes) SegmentWriter {
 public:
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  /// Creates the files of a new, empty active segment in `directory` and syncs the directory: a segment
  /// exists when its entry does. An empty log file of that name is taken over.
  /// Errors: invalid_state (the log exists and holds bytes) · storage_full, permission_denied,
  /// too_many_open_files, io_error, storage_failed; leftovers are removed then.
  static Result<std::unique_ptr<SegmentWriter>> create(const SegmentContext& context, MapCache& maps,
                                                       const std::string& directory, Offset base_offset,
                                                       const SegmentLimits& limits);
  /// Opens an existing segment as the active one, to be appended to from `state.end_position` on. The caller
  /// has erased the bytes behind that in the log (erase_tail). Index entries beyond those of `state` are
  /// erased.
  /// Errors: invalid_state (bytes behind the end) · corrupt_record (the log is shorter than `state` says) ·
  /// corrupt_metadata (an index is: rebuild it) · as the file system says.
  static Result<std::unique_ptr<SegmentWriter>> open(const SegmentContext& context, MapCache& maps,
                                                     const std::string& directory, const SegmentState& state,
                                                     const SegmentLimits& limits);

  /// The segment that is appended to, for its readers; lives for as long as any of them has it.
  const SegmentPtr& segment() const noexcept { return segment_; }
  Offset base_offset() const noexcept { return base_offset_; }

  // Of a batch: has_room, place, note, write, publish, in this order.
  /// Whether a batch of `size` bytes ending at `last_offset` fits: size, both indexes, offset span (Kafka's
  /// roll rules 1, 3 and 4). An empty segment needs no index entry, so its indexes are never in the way.
  bool has_room(std::uint64_t size, Offset last_offset) const noexcept {
    return size <= room_.size_limit() && write_position_ <= room_.size_limit() - size &&
           last_offset - base_offset_ <= std::numeric_limits<std::int32_t>::max() &&
           (write_position_ == 0 ||
            !(active_maps_->offset_index.is_full() || active_maps_->time_index.is_full()));
  }
  /// Copies `batch` to the end of the log and stamps `base_offset`. Not visible to readers, of this process
  /// or another, until `publish`; placing again overwrites it. A batch that lies where `reserve` put it is
  /// not copied, and has unpublished_magic. Without mapped writes it is `write` that copies.
  /// Errors: record_too_large, storage_full (no block could be had; nothing changed), io_error.
  Result<PlacedBatch> place(base::ByteSpan batch, const format::BatchHeader& header, Offset base_offset) {
    if (write_position_ + batch.size() > room_.attention_at()) [[unlikely]] {
      if (!mapped_writes_) return place_unwritten(batch.size(), header, base_offset);
      if (auto made = room_.make_ready(write_position_, batch.size()); !made) return std::move(made).error();
    }
    if (needs_index_entry()) [[unlikely]] {
      if (auto made = active_maps_->make_index_room(); !made) return std::move(made).error();
    }
    std::byte* const to = log_bytes_ + write_position_;
    // Before everything else, also where another batch was placed before.
    to[format::magic_at] = std::byte{format::unpublished_magic};
    if (to != batch.data()) {
      // From the header, so that nothing waits for the stores that framed it.
      base::store_be(to + format::length_at, header.length);
      base::store_be(to + format::leader_epoch_at, header.leader_epoch);
      std::memcpy(to + format::crc_at, batch.data() + format::crc_at, batch.size() - format::crc_at);
    }
    format::stamp_base_offset(to, base_offset);
    return placed(batch.size(), header, base_offset);
  }
  /// A batch that was just placed, by mapped writes, until the next one is.
  base::ByteSpan bytes_of(const PlacedBatch& batch) const noexcept {
    return {log_bytes_ + batch.position, batch.size_bytes};
  }
  /// Makes room for `size` bytes at the end of the log and returns it, for writing in place. The same room is
  /// returned until a batch is published.
  /// Errors: invalid_state (not mapped writes) · as `place`.
  Result<base::MutableByteSpan> reserve(std::uint64_t size);
  /// Erases what was written into room that was reserved and is not used.
  void erase_reserved(std::uint64_t size) noexcept;
  /// Prepares the index entries and the timestamps that go with a placed batch; readers see them with
  /// `publish`.
  /// Errors: storage_full and the like; the batch stays placed and unpublished, another may be placed over
  /// it.
  Result<> note(const PlacedBatch& batch) {
    // Field by field: the compiler copies a struct as words, which wait for the bytes in them.
    pending_.timestamp = max_timestamp_;
    pending_.is_noted = true;
    pending_.has_offset_entry = false;
    pending_.has_time_entry = false;
    // The earliest batch keeps a timestamp that a later one only equals.
    if (batch.max_timestamp_ms > max_timestamp_.timestamp_ms) {
      pending_.timestamp = {batch.max_timestamp_ms, batch.last_offset};
    }
    if (!needs_index_entry()) [[likely]]
      return {};
    return stage_index_entries(batch);
  }
  /// Writes a batch that was placed, where that is not done through the map: the last step that can fail,
  /// since readers of another process see it from then on.
  /// Errors: storage_full, io_error; take it back then.
  Result<> write(const PlacedBatch& placed, base::ByteSpan batch) {
    if (log_bytes_ != nullptr) [[likely]]
      return {};
    return write_placed(placed, batch);
  }
  /// Erases a batch that was placed and will not be published. A part of it behind a shorter batch would be
  /// taken for damage, or for a batch if it holds one.
  /// Errors: none in either mode; the caller need not say that the batch may come back.
  Result<> roll_back(const PlacedBatch& batch);
  /// Lets readers of this segment see a noted batch. The partition publishes its log end offset after this.
  void publish(const PlacedBatch& batch) noexcept {
    SERIATIM_ASSERT(pending_.is_noted && batch.position == write_position_);
    if (batch.position == 0) first_timestamp_ms_ = batch.max_timestamp_ms;
    if (pending_.timestamp.timestamp_ms != max_timestamp_.timestamp_ms) {
      end_.raise_max_timestamp(pending_.timestamp.timestamp_ms);
    }
    max_timestamp_ = pending_.timestamp;
    pending_.is_noted = false;
    // The last byte of the batch, and before the end that this process goes by.
    if (log_bytes_ != nullptr) [[likely]] {
      const std::atomic_ref<std::byte> magic(log_bytes_[batch.position + format::magic_at]);
      magic.store(std::byte{format::batch_magic}, std::memory_order_release);
    }
    bytes_since_index_entry_ += batch.size_bytes;
    write_position_ += batch.size_bytes;
    // Bytes, then the offset that promises them, then the index entry that points at them.
    end_.publish(write_position_, batch.last_offset + 1);
    if (pending_.has_offset_entry) [[unlikely]]
      commit_index_entries(batch);
    prefetch_next(batch.size_bytes);
  }
  std::int64_t first_timestamp_ms() const noexcept { return first_timestamp_ms_; }
  std::int64_t created_ms() const noexcept { return created_ms_; }
  void set_created_ms(std::int64_t wall_ms) noexcept { created_ms_ = wall_ms; }
  std::uint64_t append_position() const noexcept { return write_position_; }
  /// Closing time index entry, files trimmed to their exact length, maps made read-only. A batch that was
  /// placed and not published is cut off. The writer is done then: only `seal` and `trim` may be called, and
  /// do nothing.
  /// Errors: as the disk says; the segment stays active then, and sealing may be tried again.
  Result<> seal();
  /// Trims the files to their exact length without sealing, for a clean close; the time index file ends with
  /// the closing entry, as Kafka's does. Appending may go on: that entry is then overwritten.
  Result<> trim();
  /// Refuses new pins and lets go of the maps, as Segment::mark_deleted; nothing is appended any more.
  void abandon() noexcept;

 private:
  // The changes that publishing a noted batch will make besides the end.
  struct Pending {
    TimestampOffset timestamp{};
    bool is_noted = false;
    bool has_offset_entry = false;
    bool has_time_entry = false;
  };

  SegmentWriter(SegmentPtr segment, SegmentMaps& maps, const SegmentLimits& limits,
                const SegmentState& state) noexcept;
  static Result<std::unique_ptr<SegmentWriter>> attach(const SegmentPtr& segment, MapCache& maps,
                                                       const SegmentState& state,
                                                       const SegmentLimits& limits);

  // The lines that the next small batch goes to, so that its stores do not keep the unlock waiting (12 of 100
  // ns). Behind a marker comes a record again.
  void prefetch_next(std::uint64_t size) const noexcept {
    constexpr std::uint64_t lines_min = 4;
    constexpr std::uint64_t lines_max = 8;
    const std::uint64_t bytes =
        std::clamp(size, lines_min * base::cache_line_bytes, lines_max * base::cache_line_bytes);
    const std::uint64_t end = std::min(write_position_ + bytes, room_.ready_bytes());
    if (log_bytes_ == nullptr) return;
    for (std::uint64_t at = write_position_; at < end; at += base::cache_line_bytes)
      __builtin_prefetch(log_bytes_ + at, 1);
  }

  PlacedBatch placed(std::size_t size, const format::BatchHeader& header, Offset base_offset) const noexcept {
    return {.position = write_position_,
            .size_bytes = static_cast<std::uint32_t>(size),
            .base_offset = base_offset,
            .last_offset = base_offset + header.last_offset_delta,
            .max_timestamp_ms = header.max_timestamp_ms};
  }
  Result<PlacedBatch> place_unwritten(std::size_t size, const format::BatchHeader& header,
                                      Offset base_offset);
  Result<> write_placed(const PlacedBatch& placed, base::ByteSpan batch);
  bool needs_index_entry() const noexcept { return bytes_since_index_entry_ > index_interval_bytes_; }
  Result<> stage_index_entries(const PlacedBatch& batch);
  void commit_index_entries(const PlacedBatch& batch) noexcept;
  Result<bool> trim_to_closing_entry();

  // An append reads and changes the first two lines of this, up to ready_bytes() and attention_at() of room_.
  SegmentEnd& end_;  // the segment's
  Offset base_offset_;
  SegmentMaps* active_maps_;  // the segment's, without its lock; nullptr once nothing is appended any more
  std::byte* log_bytes_;      // writable; null where writes do not go through the map
  std::uint64_t write_position_;
  std::uint64_t bytes_since_index_entry_;
  std::uint64_t index_interval_bytes_;
  std::int64_t first_timestamp_ms_;
  TimestampOffset max_timestamp_;
  Pending pending_{};
  LogRoom room_;
  bool mapped_writes_;
  std::int64_t created_ms_ = -1;
  const NamedFiles& files_;  // the segment's
  SegmentPtr segment_;
};

using SegmentWriterPtr = std::unique_ptr<SegmentWriter>;

}  // namespace seriatim::segment
