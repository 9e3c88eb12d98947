// One segment: a log file and its indexes, as their readers and those who sync them have it. States: active
// (one SegmentWriter) -> sealed (read-only, exact length) -> deleted.
//
// Concurrency: any number of readers without a lock, beside the one writer. A reader learns how far it may
// look from `end_position`/`end_offset`, which are stored (release) after the bytes; the bytes below never
// change. A sealed segment's maps are made on demand and may be dropped by the MapCache while nobody holds a
// pin. Flush: appends reach stable storage through `sync`.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "segment/files/segment_files.hpp"
#include "segment/held_maps.hpp"
#include "segment/index/transaction_index.hpp"
#include "segment/map_cache.hpp"
#include "segment/named_files.hpp"
#include "segment/pages_ahead.hpp"
#include "segment/segment_end.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::segment {

class SegmentTail;

class Segment : public std::enable_shared_from_this<Segment> {
 public:
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  /// Describes a sealed segment; nothing is opened until it is read. (SegmentWriter makes an active one.)
  /// @param log_id  of the log that is meant, as NamedFiles takes it.
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
  void end_followed() noexcept { end_.make_final(); }

  Offset base_offset() const noexcept { return files_.base_offset(); }
  const std::string& log_path() const noexcept { return files_.log_path(); }
  const std::string& time_index_path() const noexcept { return files_.time_index_path(); }
  /// The transactions that were aborted in this segment; a part of what `sync` brings to stable storage.
  TransactionIndex& transactions() noexcept { return transactions_; }

  // Readers, any thread.
  std::uint64_t end_position() const noexcept { return end_.position(); }
  Offset end_offset() const noexcept { return end_.offset(); }
  bool is_sealed() const noexcept { return end_.is_final(); }
  bool is_empty() const noexcept { return end_position() == 0; }
  /// Largest record timestamp, -1 if none.
  std::int64_t max_timestamp_ms() const noexcept { return end_.max_timestamp_ms(); }
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
  std::int64_t modified_ms() const noexcept { return files_.modified_ms(); }
  /// The mapped bytes and indexes; maps a sealed segment if need be.
  /// Errors: not_found (deleted meanwhile) · corrupt_record (the log is shorter than it was) ·
  /// corrupt_metadata (an index is missing or out of order: recovery rebuilds it, not this call) ·
  /// too_many_open_files, io_error.
  Result<SegmentPin> pin();
  /// The log file, open for reading, through the descriptor cache.
  /// Errors: as `pin`.
  Result<std::shared_ptr<os::File>> log_file();
  /// Refuses new pins and lets go of the maps, unless a writer still stores through them; whoever holds a pin
  /// keeps its bytes (INV-9).
  void mark_deleted() noexcept;
  bool is_deleted() const noexcept { return maps_.is_refused(); }
  /// Whether a reader, not only the caches, holds the maps. Of a deleted segment: whether its bytes still
  /// take space.
  bool is_pinned() const noexcept { return maps_.is_pinned(); }

  /// Populates what the writer asked a Prefaulter for. Any thread but an appender's.
  void prefault() noexcept { ahead_.populate(maps_, end_); }

  // Durability, any thread.
  /// fdatasync of the log: everything published before the call is on stable storage. Of a sealed or trimmed
  /// segment the indexes too, and first, so that a log known to be durable to its end has durable indexes.
  /// Errors: storage_failed, final (never retried: the kernel may have dropped the pages) · not_found
  /// (deleted) · too_many_open_files, io_error: no sync was tried.
  Result<> sync();

 private:
  friend class MapCache;
  friend class SegmentWriter;

  /// The parts that the writer of a segment changes or needs; readers have none of them.
  struct WriterParts {
    const NamedFiles& files;
    HeldMaps& maps;
    SegmentEnd& end;
    PagesAhead& ahead;
  };
  WriterParts writer_parts() noexcept { return {files_, maps_, end_, ahead_}; }

  Segment(MapCache& maps, NamedFiles files);
  Result<SegmentPin> pin_once();
  Result<> sync_files() SERIATIM_REQUIRES(sync_mutex_);
  void release_unsynced_pages() const SERIATIM_REQUIRES(sync_mutex_);

  const NamedFiles files_;
  MapCache& map_cache_;
  TransactionIndex transactions_;

  SegmentEnd end_;
  static constexpr std::int64_t unproven_ms = std::numeric_limits<std::int64_t>::min();
  std::atomic<std::int64_t> proven_max_ms_{unproven_ms};
  HeldMaps maps_;  // always holds them while active

  base::Mutex sync_mutex_;
  std::uint64_t synced_position_ SERIATIM_GUARDED_BY(sync_mutex_) = 0;

  PagesAhead ahead_;
};

using SegmentPtr = std::shared_ptr<Segment>;

}  // namespace seriatim::segment
