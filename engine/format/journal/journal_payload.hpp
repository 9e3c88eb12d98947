// The payloads of journal frames. Little-endian, as the frames are; docs/data_directory.md has the tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/journal/journal_frame.hpp"

namespace seriatim::format {

/// Where a batch belongs.
struct JournalPlace {
  Id topic_id{};
  PartitionId partition = 0;
  Offset base_offset = 0;
  Offset segment_base_offset = 0;
  std::uint64_t position = 0;  ///< In the segment's log file.
  bool operator==(const JournalPlace&) const = default;
};

/// A batch as it stands in its segment. Its bytes have passed the frame's checksum, nothing else: whether
/// they are a batch, and the one of this offset, is for those who put it back to check.
struct JournalBatch {
  JournalPlace place{};
  base::ByteSpan batch{};
};

/// The segment holds `length` bytes from `place` on, and they are on stable storage there.
struct JournalSyncedRange {
  JournalPlace place{};
  std::uint64_t length = 0;
  bool operator==(const JournalSyncedRange&) const = default;
};

struct JournalCommittedOffset {
  Id topic_id{};
  PartitionId partition = 0;
  Offset offset = 0;  ///< -1: the group's position is forgotten.
  std::int32_t leader_epoch = -1;
  std::string_view metadata{};
  bool operator==(const JournalCommittedOffset&) const = default;
};

/// One commit of one group: all of its positions or none.
struct JournalCommittedOffsets {
  std::string_view group{};
  std::int64_t commit_time_ms = 0;
  std::vector<JournalCommittedOffset> offsets{};
  bool operator==(const JournalCommittedOffsets&) const = default;
};

/// All positions of a group are forgotten, those of frames before this one.
struct JournalForgottenGroup {
  std::string_view group{};
  bool operator==(const JournalForgottenGroup&) const = default;
};

inline constexpr std::size_t journal_place_bytes = 44;
inline constexpr std::size_t journal_synced_range_bytes = journal_place_bytes + 8;

/// Payload of a batch frame up to the batch: journal_place_bytes at `to`.
void store_journal_place(std::byte* to, const JournalPlace& place) noexcept;
/// The whole payload: journal_synced_range_bytes at `to`.
void store_journal_synced_range(std::byte* to, const JournalSyncedRange& range) noexcept;
/// The whole payload. Group and metadata have less than 65'536 bytes each (the catalog's limits are lower).
std::vector<std::byte> encode_journal_offsets(const JournalCommittedOffsets& commit);
/// The same in two steps: its size, and the payload in that many bytes.
std::size_t journal_offsets_bytes(const JournalCommittedOffsets& commit) noexcept;
void store_journal_offsets(base::MutableByteSpan to, const JournalCommittedOffsets& commit) noexcept;

/// The inverse, of a payload that has passed its frame's checksum; checked again all the same. Texts and
/// batch are views of it.
/// Errors: corrupt_metadata: it is not exactly one such payload, or a field is outside its range. The message
/// names neither file nor position: the caller adds them.
/// Threads: any.
Result<JournalBatch> parse_journal_batch(base::ByteSpan payload);
Result<JournalSyncedRange> parse_journal_synced_range(base::ByteSpan payload);
Result<JournalCommittedOffsets> parse_journal_offsets(base::ByteSpan payload);
/// The payload of such a frame is the name of the group.
Result<JournalForgottenGroup> parse_journal_forgotten_group(base::ByteSpan payload);

}  // namespace seriatim::format
