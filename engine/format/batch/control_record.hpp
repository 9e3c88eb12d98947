// Control batches: the markers that end a transaction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch/frame.hpp"
#include "format/batch_header.hpp"

namespace seriatim::format {

/// The second int16 of a control record's key. Types other than these belong to Kafka's metadata log.
enum class ControlType : std::int16_t { abort = 0, commit = 1 };

/// An end of transaction, to be written.
struct EndMarker {
  ControlType type = ControlType::abort;
  ProducerId producer_id = no_producer_id;
  ProducerEpoch producer_epoch = no_producer_epoch;
  std::int64_t timestamp_ms = no_timestamp_ms;
  /// Kafka fences markers of an earlier coordinator with it; seriatim has one coordinator and writes 0.
  std::int32_t coordinator_epoch = 0;
};

/// Size of the batch of a marker.
inline constexpr std::size_t marker_batch_bytes = 78;

/// Frames `marker` at the front of `out` (at least marker_batch_bytes).
void frame_marker(const EndMarker& marker, base::MutableByteSpan out, FramedBatch& framed) noexcept;

/// A framed marker, with its bytes: the same for all partitions of a transaction.
class MarkerBatch {
 public:
  explicit MarkerBatch(const EndMarker& marker) noexcept { frame_marker(marker, bytes_, framed_); }
  MarkerBatch(const MarkerBatch&) = delete;
  MarkerBatch& operator=(const MarkerBatch&) = delete;
  const FramedBatch& framed() const noexcept { return framed_; }

 private:
  std::array<std::byte, marker_batch_bytes> bytes_;
  FramedBatch framed_;
};

/// Type and value of one control record.
struct ControlRecord {
  std::int16_t type = 0;                ///< A ControlType, or a type to be skipped.
  std::int32_t coordinator_epoch = -1;  ///< -1 for types to be skipped.

  bool is_commit() const noexcept { return type == static_cast<std::int16_t>(ControlType::commit); }
  bool is_abort() const noexcept { return type == static_cast<std::int16_t>(ControlType::abort); }
  bool ends_transaction() const noexcept { return is_commit() || is_abort(); }
};

/// Parses key and value of a control record; nullopt if they are malformed: key or value too short, or a
/// negative version. Higher versions are read as version 0, as Kafka does.
std::optional<ControlRecord> parse_control_record(BytesView key, BytesView value) noexcept;

/// Reads the mark of the control batch `whole_batch`, whose structure and CRC were checked.
ControlMark read_control_mark(base::ByteSpan whole_batch) noexcept;
/// Only what kind it is.
inline ControlBatch read_control_batch(base::ByteSpan whole_batch) noexcept {
  return read_control_mark(whole_batch).kind;
}

}  // namespace seriatim::format
