// Where a segment ends: for its readers, and in its files.
#pragma once

#include <atomic>
#include <cstdint>

#include <seriatim/types.hpp>

#include "segment/index/time_index.hpp"

namespace seriatim::segment {

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

/// Moved by one thread at a time, looked at by any.
class SegmentEnd {
 public:
  explicit SegmentEnd(Offset base_offset) noexcept : offset_(base_offset) {}

  std::uint64_t position() const noexcept { return position_.load(std::memory_order_acquire); }
  Offset offset() const noexcept { return offset_.load(std::memory_order_acquire); }
  std::int64_t max_timestamp_ms() const noexcept { return max_timestamp_ms_.load(std::memory_order_acquire); }
  bool is_final() const noexcept { return final_.load(std::memory_order_acquire); }

  /// Before anybody reads.
  void begin_at(const SegmentState& state) noexcept {
    raise_max_timestamp(state.max_timestamp.timestamp_ms);
    publish(state.end_position, state.end_offset);
  }
  /// Before the batch that has it is published.
  void raise_max_timestamp(std::int64_t timestamp_ms) noexcept {
    max_timestamp_ms_.store(timestamp_ms, std::memory_order_release);
  }
  /// The bytes below `position` are there: they are stored before this, and never change.
  void publish(std::uint64_t position, Offset offset) noexcept {
    position_.store(position, std::memory_order_release);
    // Behind the bytes that it promises.
    offset_.store(offset, std::memory_order_release);
  }
  /// Nothing is appended any more.
  void make_final() noexcept { final_.store(true, std::memory_order_release); }

  // The files, for who syncs them.
  /// Whether the files end where the segment does: syncing covers the indexes then.
  bool has_exact_files() const noexcept { return has_exact_files_.load(std::memory_order_acquire); }
  void note_exact_files() noexcept {
    needs_sync_.store(true, std::memory_order_release);
    has_exact_files_.store(true, std::memory_order_release);
  }
  void note_longer_files() noexcept {
    if (has_exact_files_.load(std::memory_order_relaxed))
      has_exact_files_.store(false, std::memory_order_release);
  }
  /// Whether there is something to sync that the position does not tell; from then on there is not.
  bool take_needs_sync() noexcept { return needs_sync_.exchange(false, std::memory_order_acq_rel); }
  void note_unsynced() noexcept { needs_sync_.store(true, std::memory_order_release); }

 private:
  std::atomic<std::uint64_t> position_{0};
  std::atomic<Offset> offset_;
  std::atomic<std::int64_t> max_timestamp_ms_{-1};
  std::atomic<bool> final_{false};
  std::atomic<bool> has_exact_files_{false};
  // A new length, or bytes that were here before this object and of which nothing is known.
  std::atomic<bool> needs_sync_{true};
};

}  // namespace seriatim::segment
