// The outcome of an append, and how far a partition had come at one moment: values that others keep.
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/types.hpp>

namespace seriatim::partition {

/// The durability that an append is to wait for afterwards (see `wait_durable`). Said before, because a batch
/// is staged for the journal under the lock that orders it.
enum class Durability : std::uint8_t { published, durable };

struct PartitionAppend {
  Offset base_offset = -1;
  Offset last_offset = -1;
  std::uint64_t lsn = 0;  ///< Of the batch's journal frame; 0: it has none.
  /// Set if the batch was a duplicate: nothing was written, and the offsets are those of the first copy,
  /// which was stored with this timestamp.
  std::optional<std::int64_t> duplicate_of_ms{};
  /// Of a marker: where the transaction began that it ended here; -1: it ended none.
  Offset ended_first_offset = -1;
  /// Of a marker: `flush.messages` wants the partition flushed (see `flush_marker`).
  bool is_flush_due = false;
};

/// How far a partition had come at one moment.
struct SyncMark {
  Offset end_offset = -1;
  Offset segment_base = -1;
  std::uint64_t position = 0;     ///< In that segment.
  std::uint64_t decided_lsn = 0;  ///< Of the newest decision with a marker below; 0: of none.
  /// Every transaction that began below has its marker below the end.
  Offset ended_below = 0;

  /// Whether whoever came here had passed `other`.
  bool covers(const SyncMark& other) const noexcept {
    return end_offset >= other.end_offset && segment_base >= other.segment_base;
  }
};

}  // namespace seriatim::partition
