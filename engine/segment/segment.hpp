// One segment: a log file and its indexes. States: active (one appender) -> sealed (read-only, exact length) -> deleted.
//
// Concurrency: one appender, under the partition's mutex; any number of readers without a lock. A reader learns how far it may
// look from `end_position`/`end_offset`, which are stored (release) after the bytes; the bytes below never change. A
// sealed segment's maps are made on demand and may be dropped by the MapCache while nobody holds a pin.
// Flush: appends reach stable storage through `sync`; sealing and closing trim the files to their exact length, because Kafka's reader takes
// a tail of zeros for corruption.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "format/batch_builder.hpp"
#include "format/batch_header.hpp"
#include "segment/map_cache.hpp"
#include "segment/segment_files.hpp"
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

/// What recovery found out about a segment; everything an appender needs to go on.
struct SegmentState {
  std::uint64_t end_position = 0;
  Offset end_offset = 0;                       ///< One past the last record; the base offset if empty.
  TimestampOffset max_timestamp{};             ///< Largest timestamp, and the last offset of the earliest batch that has it.
  std::int64_t first_timestamp_ms = -1;        ///< Max timestamp of the first batch (Kafka's roll rule); -1 none.
  std::uint64_t offset_index_entries = 0;      ///< Entries that are right; the rest is rebuilt.
  std::uint64_t time_index_entries = 0;
};

class Segment {
 public:
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  /// Creates the files of a new, empty active segment in `directory` and syncs the directory: a segment exists when its entry does.
  /// Errors: storage_full, permission_denied, too_many_open_files, io_error; leftovers are removed then.
  static Result<std::shared_ptr<Segment>> create(const SegmentContext& context, MapCache& maps, const std::string& directory,
                                                 Offset base_offset, const SegmentLimits& limits);
  /// Opens an existing segment as the active one, to be appended to from `state.end_position` on. What lies behind that in the log is
  /// the caller's to have erased.
  static Result<std::shared_ptr<Segment>> open_active(const SegmentContext& context, MapCache& maps, const std::string& directory,
                                                      Offset base_offset, const SegmentState& state, const SegmentLimits& limits);
  /// Describes a sealed segment; nothing is opened until it is read.
  static std::shared_ptr<Segment> sealed(const SegmentContext& context, MapCache& maps, const std::string& directory,
                                         Offset base_offset, const SegmentState& state);

  Offset base_offset() const noexcept { return base_offset_; }
  const std::string& log_path() const noexcept { return log_path_; }
  const std::string& offset_index_path() const noexcept { return offset_index_path_; }
  const std::string& time_index_path() const noexcept { return time_index_path_; }

  // ---- readers, any thread ----------------------------------------------------------------------------------------------
  std::uint64_t end_position() const noexcept { return end_position_.load(std::memory_order_acquire); }
  Offset end_offset() const noexcept { return end_offset_.load(std::memory_order_acquire); }
  bool is_sealed() const noexcept { return sealed_.load(std::memory_order_acquire); }
  bool is_empty() const noexcept { return end_position() == 0; }
  /// Largest record timestamp, -1 if none.
  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_ms_.load(std::memory_order_acquire); }
  /// Modification time of the log file, -1 if it cannot be had. Any thread; a system call.
  std::int64_t modified_ms() const noexcept;
  /// The mapped bytes and indexes; maps a sealed segment if need be.
  /// Errors: not_found (deleted meanwhile), too_many_open_files, io_error. A missing or malformed index of a sealed segment is rebuilt in place
  /// by recovery, not here: corrupt_metadata.
  Result<SegmentPin> pin();
  /// The log file, open for reading, through the descriptor cache.
  Result<std::shared_ptr<os::File>> log_file();
  /// Log bytes of deleted segments that pins still hold are counted through this flag.
  void mark_deleted() noexcept { deleted_.store(true, std::memory_order_release); }
  bool is_deleted() const noexcept { return deleted_.load(std::memory_order_acquire); }
  /// Whether a reader, not only the caches, holds the maps.
  bool is_pinned() const noexcept;

  // ---- the appender, under the partition's mutex -----------------------------------------------------------------------
  /// Whether a batch of `size` bytes ending at `last_offset` fits: size, both indexes, offset span (Kafka's roll rules 1, 3 and 4).
  bool has_room(std::uint64_t size, Offset last_offset) const noexcept;
  /// Copies `batch` to the end of the log and stamps `base_offset`. Not visible to readers until `publish`; placing again overwrites it.
  /// Errors: storage_full (no block could be reserved; nothing changed), io_error.
  Result<PlacedBatch> place(base::ByteSpan batch, const format::BatchHeader& header, Offset base_offset);
  /// Makes room for `size` bytes at the end of the log and returns it, for writing in place. Mapped writes only.
  Result<base::MutableByteSpan> reserve(std::uint64_t size);
  /// Enters a placed batch into the sparse indexes and the timestamps. An error leaves the batch placed and unpublished.
  Result<> note(const PlacedBatch& batch);
  /// Lets readers of this segment see the batch. The partition publishes its log end offset after this.
  void publish(const PlacedBatch& batch) noexcept;
  std::int64_t first_timestamp_ms() const noexcept { return first_timestamp_ms_; }
  std::int64_t created_ms() const noexcept { return created_ms_; }
  void set_created_ms(std::int64_t wall_ms) noexcept { created_ms_ = wall_ms; }
  std::uint64_t append_position() const noexcept { return write_position_; }
  /// Closing time index entry, files trimmed to their exact length, map made read-only. Idempotent.
  /// Errors: as the disk says; the segment stays active then, and sealing may be tried again.
  Result<> seal();
  /// Trims the files to their exact length without sealing, for a clean close.
  Result<> trim();

  // ---- durability, any thread -----------------------------------------------------------------------------------------
  /// fdatasync of the log: everything placed before the call is on stable storage.
  /// Errors: storage_failed, final (never retried: the kernel may have dropped the pages).
  Result<> sync();
  /// Starts write-back of what was appended since the last call, without waiting. Keeps syncs and dirty throttling short.
  void start_writeback() noexcept;

 private:
  friend class MapCache;
  Segment(const SegmentContext& context, MapCache& maps, const std::string& directory, Offset base_offset);
  Result<> map_active(const SegmentState& state, const SegmentLimits& limits);
  Result<> ensure_allocated(std::uint64_t end);
  Result<> ensure_populated(std::uint64_t end);

  SegmentContext context_;
  MapCache& map_cache_;
  Offset base_offset_;
  std::string log_path_;
  std::string offset_index_path_;
  std::string time_index_path_;

  std::atomic<std::uint64_t> end_position_{0};
  std::atomic<Offset> end_offset_{0};
  std::atomic<std::int64_t> max_timestamp_ms_{-1};
  std::atomic<bool> sealed_{false};
  std::atomic<bool> deleted_{false};

  // Appender only.
  SegmentLimits limits_{};
  std::uint64_t write_position_ = 0;
  std::uint64_t allocated_bytes_ = 0;
  std::uint64_t populated_bytes_ = 0;
  std::uint64_t next_chunk_bytes_ = 0;
  std::uint64_t bytes_since_index_entry_ = 0;
  std::uint64_t written_back_position_ = 0;
  TimestampOffset max_timestamp_{};
  std::int64_t first_timestamp_ms_ = -1;
  std::int64_t created_ms_ = -1;

  mutable base::Mutex maps_mutex_;
  SegmentPin maps_ SERIATIM_GUARDED_BY(maps_mutex_);  // always set while active
  SegmentMaps* active_maps_ = nullptr;                // the same, for the appender, without the lock
};

using SegmentPtr = std::shared_ptr<Segment>;

}  // namespace seriatim::segment
