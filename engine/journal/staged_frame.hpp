// A frame on its way into the journal: small encoded fields inline, the large part by reference.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "base/bytes.hpp"
#include "format/batch_layout.hpp"
#include "format/journal/journal_frame.hpp"
#include "format/journal/journal_payload.hpp"

namespace seriatim::journal {

/// Made without an allocation; moved into the journal by `Journal::stage`.
struct StagedFrame {
  static constexpr std::size_t fields_bytes_max = 64;

  format::JournalFrameType type = format::JournalFrameType::batch;
  std::uint8_t fields_size = 0;
  /// Room for the frame's header, and behind it the `fields_size` bytes its payload begins with.
  std::array<std::byte, format::journal_frame_header_bytes + fields_bytes_max> head;
  /// The rest of the payload, which stays as it is while `pin` lives. Without a pin it is copied by `stage`.
  base::ByteSpan body{};
  /// Released when the frame has been written, or when it never will be.
  std::shared_ptr<const void> pin{};

  std::byte* fields() noexcept { return head.data() + format::journal_frame_header_bytes; }
  std::size_t head_size() const noexcept { return format::journal_frame_header_bytes + fields_size; }
  /// The bytes that the frame takes in the file.
  std::uint64_t frame_bytes() const noexcept {
    return format::journal_frame_bytes(fields_size + body.size());
  }

  /// Up to here, a copy of the body costs no more than a pin (four locked instructions).
  static constexpr std::size_t copied_bytes_max = 1024;

  /// @param batch  as it stands in the mapped segment that `pin` keeps; nullptr: it is copied.
  static StagedFrame batch(const format::JournalPlace& place, base::ByteSpan batch,
                           std::shared_ptr<const void> pin) noexcept {
    static_assert(fields_bytes_max >= format::journal_place_bytes);
    StagedFrame frame;
    frame.fields_size = static_cast<std::uint8_t>(format::journal_place_bytes);
    format::store_journal_place(frame.fields(), place);
    frame.body = batch;
    frame.pin = std::move(pin);
    return frame;
  }

  /// As `batch`, of one that is published only when the frame has been staged: the frame has it as it will be
  /// then. Copied are the fields before the checksum, each as wide as it was stored.
  static StagedFrame unpublished_batch(const format::JournalPlace& place, base::ByteSpan batch,
                                       std::shared_ptr<const void> pin) noexcept {
    static_assert(fields_bytes_max >= format::journal_place_bytes + format::crc_at);
    StagedFrame frame = StagedFrame::batch(place, batch.subspan(format::crc_at), std::move(pin));
    std::byte* const front = frame.fields() + format::journal_place_bytes;
    std::memcpy(front, batch.data(), format::length_at);
    std::memcpy(front + format::length_at, batch.data() + format::length_at, sizeof(std::int32_t));
    std::memcpy(front + format::leader_epoch_at, batch.data() + format::leader_epoch_at,
                sizeof(std::int32_t));
    front[format::magic_at] = std::byte{format::batch_magic};
    frame.fields_size = static_cast<std::uint8_t>(format::journal_place_bytes + format::crc_at);
    return frame;
  }

  /// Says that bytes which bypassed the journal are on stable storage. The caller has synced them.
  static StagedFrame synced_range(const format::JournalSyncedRange& range) noexcept {
    static_assert(fields_bytes_max >= format::journal_synced_range_bytes);
    StagedFrame frame;
    frame.type = format::JournalFrameType::synced_range;
    frame.fields_size = static_cast<std::uint8_t>(format::journal_synced_range_bytes);
    format::store_journal_synced_range(frame.fields(), range);
    return frame;
  }

  /// @param payload  the whole of it, as the `type` has it, until the frame is staged: it is copied.
  static StagedFrame encoded(format::JournalFrameType type, base::ByteSpan payload) noexcept {
    StagedFrame frame;
    frame.type = type;
    frame.body = payload;
    return frame;
  }
};

}  // namespace seriatim::journal
