// One segment: a log file and its indexes. States: active (one appender) -> sealed (read-only, exact length)
// -> deleted.
//
// Concurrency: one appender, under the partition's mutex; any number of readers without a lock. A reader
// learns how far it may look from `end_position`/`end_offset`, which are stored (release) after the bytes;
// the bytes below never change. A sealed segment's maps are made on demand and may be dropped by the MapCache
// while nobody holds a pin. Flush: appends reach stable storage through `sync`; sealing and closing trim the
// files to their exact length, because Kafka's reader takes a tail of zeros for corruption.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/assert.hpp"
#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "format/batch_header.hpp"
#include "segment/files/segment_files.hpp"
#include "segment/index/transaction_index.hpp"
#include "segment/map_cache.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::segment {

/// A batch that lies in a segment, offsets stamped, not yet published.
struct PlacedBatch {
  std::uint64_t position = 0;
  std::uint32_t size_bytes = 0;
  Offset base_offset = 0;
  Offset last_offset = 0;
  std::int64_t max_timestamp_ms = -1;
};

/// The state of a segment, as recovery found it; everything an appender needs to go on.
struct SegmentState {
  Offset base_offset = 0;
  std::uint64_t end_position = 0;
  Offset end_offset = 0;  ///< One past the last record; the base offset if empty.
  TimestampOffset
      max_timestamp{};  ///< Largest timestamp, and the last offset of the earliest batch that has it.
  std::int64_t first_timestamp_ms = -1;    ///< Max timestamp of the first batch (Kafka's roll rule); -1 none.
  std::uint64_t offset_index_entries = 0;  ///< Entries that are right; the rest is rebuilt.
  std::uint64_t time_index_entries = 0;
};

class SegmentTail;

class Segment : public std::enable_shared_from_this<Segment> {
 public:
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  /// Creates the files of a new, empty active segment in `directory` and syncs the directory: a segment
  /// exists when its entry does. An empty log file of that name is taken over.
  /// Errors: invalid_state (the log exists and holds bytes) · storage_full, permission_denied,
  /// too_many_open_files, io_error, storage_failed; leftovers are removed then.
  static Result<std::shared_ptr<Segment>> create(const SegmentContext& context, MapCache& maps,
                                                 const std::string& directory, Offset base_offset,
                                                 const SegmentLimits& limits);
  /// Opens an existing segment as the active one, to be appended to from `state.end_position` on. The caller
  /// has erased the bytes behind that in the log (erase_tail). Index entries
  /// beyond those of `state` are erased.
  /// Errors: invalid_state (bytes behind the end) · corrupt_record (the log is shorter than `state` says) ·
  /// corrupt_metadata (an index is: rebuild it) · as the file system says.
  static Result<std::shared_ptr<Segment>> open_active(const SegmentContext& context, MapCache& maps,
                                                      const std::string& directory, const SegmentState& state,
                                                      const SegmentLimits& limits);
  /// Describes a sealed segment; nothing is opened until it is read.
  /// @param log_id  of the log that is meant, for who cannot keep another process from exchanging it: a log
  /// of the same name that is another file is not found then.
  static std::shared_ptr<Segment> sealed(const SegmentContext& context, MapCache& maps,
                                         const std::string& directory, const SegmentState& state,
                                         const std::optional<os::FileId>& log_id = std::nullopt);

  // Following: an active segment of another process, see segment_tail.hpp and segment_follow.cpp.
  /// Maps the files that `tail` has looked at, as far as it found them to be right.
  /// Errors: not_found (others have taken their place) · too_many_open_files, io_error.
  static Result<std::shared_ptr<Segment>> follow(const SegmentContext& context, MapCache& maps,
                                                 const SegmentTail& tail);
  /// Lets readers see what a tail has found since. One thread at a time.
  void extend_followed(const SegmentState& state) noexcept;
  /// The writer has begun another segment: the end is final.
  void end_followed() noexcept { sealed_.store(true, std::memory_order_release); }

  Offset base_offset() const noexcept { return base_offset_; }
  const std::string& log_path() const noexcept { return log_path_; }
  const std::string& time_index_path() const noexcept { return time_index_path_; }
  /// The transactions that were aborted in this segment; a part of what `sync` brings to stable storage.
  TransactionIndex& transactions() noexcept { return transactions_; }

  // Readers, any thread.
  std::uint64_t end_position() const noexcept { return end_position_.load(std::memory_order_acquire); }
  Offset end_offset() const noexcept { return end_offset_.load(std::memory_order_acquire); }
  bool is_sealed() const noexcept { return sealed_.load(std::memory_order_acquire); }
  bool is_empty() const noexcept { return end_position() == 0; }
  /// Largest record timestamp, -1 if none.
  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_ms_.load(std::memory_order_acquire); }
  /// The same as the log bears it out (time_proof.hpp), of the batches that were there then; nullopt: nobody
  /// has looked yet.
  std::optional<std::int64_t> proven_max_ms() const noexcept {
    const std::int64_t proven = proven_max_ms_.load(std::memory_order_acquire);
    return proven == unproven_ms ? std::nullopt : std::optional(proven);
  }
  void note_proven_max_ms(std::int64_t largest_ms) noexcept {
    proven_max_ms_.store(largest_ms, std::memory_order_release);
  }
  /// Modification time of the log file, -1 if it cannot be had. Any thread; a system call.
  std::int64_t modified_ms() const noexcept;
  /// The mapped bytes and indexes; maps a sealed segment if need be.
  /// Errors: not_found (deleted meanwhile) · corrupt_record (the log is shorter than it was) ·
  /// corrupt_metadata (an index is missing or out of order: recovery rebuilds it, not this call) ·
  /// too_many_open_files, io_error.
  Result<SegmentPin> pin();
  /// The log file, open for reading, through the descriptor cache.
  /// Errors: as `pin`.
  Result<std::shared_ptr<os::File>> log_file();
  /// Refuses new pins and lets go of the maps; whoever holds a pin keeps its bytes (INV-9).
  void mark_deleted() noexcept;
  /// The same, by the appender of an active segment too, who will not append any more.
  void abandon() noexcept;
  bool is_deleted() const noexcept { return deleted_.load(std::memory_order_acquire); }
  /// Whether a reader, not only the caches, holds the maps. Of a deleted segment: whether its bytes still
  /// take space.
  bool is_pinned() const noexcept;

  // The appender, under the partition's mutex: has_room, place, note, publish, in this order.
  /// Whether a batch of `size` bytes ending at `last_offset` fits: size, both indexes, offset span (Kafka's
  /// roll rules 1, 3 and 4). An empty segment needs no index entry, so its indexes are never in the way.
  bool has_room(std::uint64_t size, Offset last_offset) const noexcept {
    return size <= size_limit_ && write_position_ <= size_limit_ - size &&
           last_offset - base_offset_ <= std::numeric_limits<std::int32_t>::max() &&
           (write_position_ == 0 ||
            !(active_maps_->offset_index.is_full() || active_maps_->time_index.is_full()));
  }
  /// Copies `batch` to the end of the log and stamps `base_offset`. Not visible to readers, of this process
  /// or another, until `publish`; placing again overwrites it. A batch that lies where `reserve` put it is
  /// not copied, and has unpublished_magic. Without mapped writes it is `write` that copies.
  /// Errors: record_too_large, storage_full (no block could be had; nothing changed), io_error.
  Result<PlacedBatch> place(base::ByteSpan batch, const format::BatchHeader& header, Offset base_offset) {
    if (write_position_ + batch.size() > attention_at_) [[unlikely]] {
      if (!limits_.mapped_writes) return place_unwritten(batch.size(), header, base_offset);
      if (auto made = make_ready(batch.size()); !made) return std::move(made).error();
    }
    if (needs_index_entry()) [[unlikely]] {
      if (auto made = make_index_room(); !made) return std::move(made).error();
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
      max_timestamp_ms_.store(pending_.timestamp.timestamp_ms, std::memory_order_release);
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
    end_position_.store(write_position_, std::memory_order_release);
    end_offset_.store(batch.last_offset + 1, std::memory_order_release);
    if (pending_.has_offset_entry) [[unlikely]]
      commit_index_entries(batch);
    prefetch_next(batch.size_bytes);
  }
  std::int64_t first_timestamp_ms() const noexcept { return first_timestamp_ms_; }
  std::int64_t created_ms() const noexcept { return created_ms_; }
  void set_created_ms(std::int64_t wall_ms) noexcept { created_ms_ = wall_ms; }
  std::uint64_t append_position() const noexcept { return write_position_; }
  /// Closing time index entry, files trimmed to their exact length, maps made read-only. Idempotent. A batch
  /// that was placed and not published is cut off.
  /// Errors: as the disk says; the segment stays active then, and sealing may be tried again.
  Result<> seal();
  /// Trims the files to their exact length without sealing, for a clean close; the time index file ends with
  /// the closing entry, as Kafka's does. Appending may go on: that entry is then overwritten.
  Result<> trim();

  /// Populates what the appender asked a Prefaulter for. Any thread but an appender's.
  void prefault() noexcept;

  // Durability, any thread.
  /// fdatasync of the log: everything published before the call is on stable storage. Of a sealed or trimmed
  /// segment the indexes too, and first, so that a log known to be durable to its end has durable indexes.
  /// Errors: storage_failed, final (never retried: the kernel may have dropped the pages) · not_found
  /// (deleted) · too_many_open_files, io_error: no sync was tried.
  Result<> sync();

 private:
  friend class MapCache;

  // The changes that publishing a noted batch will make besides the end.
  struct Pending {
    TimestampOffset timestamp{};
    bool is_noted = false;
    bool has_offset_entry = false;
    bool has_time_entry = false;
  };

  Segment(const SegmentContext& context, MapCache& maps, const std::string& directory, Offset base_offset);
  Result<> create_files(const SegmentLimits& limits);
  Result<> map_active(const SegmentState& state, const SegmentLimits& limits);
  Result<> map_active_files(const SegmentState& state, const SegmentLimits& limits);
  Result<SegmentPin> pin_once();
  void take_state(const SegmentState& state) noexcept;
  Result<SegmentPin> map_sealed() const;
  Result<os::Mapping> map_sealed_log() const;
  Error deleted_error() const;
  Result<> check_is_meant(os::File& log) const;
  Result<> check_unexchanged() const;

  // The lines that the next small batch goes to, so that its stores do not keep the unlock waiting (12 of 100
  // ns). Behind a marker comes a record again.
  void prefetch_next(std::uint64_t size) const noexcept {
    constexpr std::uint64_t lines_min = 4;
    constexpr std::uint64_t lines_max = 8;
    const std::uint64_t bytes =
        std::clamp(size, lines_min * base::cache_line_bytes, lines_max * base::cache_line_bytes);
    const std::uint64_t end = std::min(write_position_ + bytes, ready_bytes_);
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
  bool needs_index_entry() const noexcept { return bytes_since_index_entry_ > limits_.index_interval_bytes; }
  // Before the batch is placed, so that a full disk refuses it while nothing of it is anywhere.
  Result<> make_index_room();
  Result<> make_ready(std::uint64_t size);
  void ask_ahead();
  void stop_prefaulting() noexcept;
  Result<> check_fits(std::uint64_t size) const;
  Result<> ensure_allocated(std::uint64_t end);
  Result<> ensure_populated(std::uint64_t end);
  Result<> stage_index_entries(const PlacedBatch& batch);
  void commit_index_entries(const PlacedBatch& batch) noexcept;
  Result<bool> trim_to_closing_entry();
  Result<> trim_files(std::uint64_t staged_time_entries);
  Result<> sync_files() SERIATIM_REQUIRES(sync_mutex_);
  Result<> sync_file(const std::string& path);
  void release_unsynced_pages() const SERIATIM_REQUIRES(sync_mutex_);
  /// nullptr: it is not mapped now. Unlike `pin` it maps nothing for it.
  SegmentPin present_maps() const SERIATIM_EXCLUDES(maps_mutex_);

  // For the MapCache.
  bool take_recently_used() noexcept { return recently_used_.exchange(false, std::memory_order_relaxed); }
  void drop_maps() noexcept;

  SegmentContext context_;
  MapCache& map_cache_;
  Offset base_offset_;
  std::optional<os::FileId> log_id_{};  // of a sealed one that another process may exchange
  std::string directory_;
  std::string log_path_;
  std::string offset_index_path_;
  std::string time_index_path_;
  TransactionIndex transactions_;

  std::atomic<std::uint64_t> end_position_{0};
  std::atomic<Offset> end_offset_{0};
  std::atomic<std::int64_t> max_timestamp_ms_{-1};
  static constexpr std::int64_t unproven_ms = std::numeric_limits<std::int64_t>::min();
  std::atomic<std::int64_t> proven_max_ms_{unproven_ms};
  std::atomic<bool> sealed_{false};
  std::atomic<bool> deleted_{false};
  std::atomic<bool> recently_used_{false};
  std::atomic<bool> has_exact_files_{false};  // sealed or trimmed: syncing covers the indexes
  // Set where the end position does not tell that there is something to sync: a new length, or bytes that
  // were here before this object and of which nothing is known.
  std::atomic<bool> needs_sync_{true};

  base::Mutex sync_mutex_;
  std::uint64_t synced_position_ SERIATIM_GUARDED_BY(sync_mutex_) = 0;

  mutable base::WordMutex maps_mutex_;
  SegmentPin maps_ SERIATIM_GUARDED_BY(maps_mutex_);  // always set while active
  std::weak_ptr<SegmentMaps> last_maps_ SERIATIM_GUARDED_BY(maps_mutex_);
  // Set once the maps may be dropped: not before everything appended here is synced, because the mapping
  // keeps the inode, and with it an unreported write error, in memory.
  bool is_cacheable_ SERIATIM_GUARDED_BY(maps_mutex_) = false;

  // Appender only, away from what readers poll.
  alignas(base::cache_line_bytes) SegmentLimits limits_{};
  SegmentMaps* active_maps_ = nullptr;  // maps_, without the lock
  std::byte* log_bytes_ = nullptr;      // writable; null where writes do not go through the map
  std::uint64_t write_position_ = 0;
  std::uint64_t ready_bytes_ = 0;   // of the map: allocated and populated, as far as the appender knows
  std::uint64_t attention_at_ = 0;  // the end that asks for make_ready; ready_bytes_ at most
  std::uint64_t size_limit_ = 0;
  std::uint64_t bytes_since_index_entry_ = 0;
  TimestampOffset max_timestamp_{};
  std::int64_t first_timestamp_ms_ = -1;
  Pending pending_{};
  std::uint64_t allocated_bytes_ = 0;
  std::uint64_t next_chunk_bytes_ = 0;
  std::int64_t created_ms_ = -1;

  // Between the appender and the thread that populates ahead of it. The range asked for ends at
  // prefault_end_; 0 ends all of it, once the mutex has been held.
  alignas(base::cache_line_bytes) base::Mutex prefault_mutex_;
  std::atomic<std::uint64_t> prefault_end_{0};
  std::atomic<std::uint64_t> prefaulted_bytes_{0};
};

using SegmentPtr = std::shared_ptr<Segment>;

}  // namespace seriatim::segment
