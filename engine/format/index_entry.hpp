// Entries of the three index files, as Kafka's: fixed size, big-endian, no file header, no checksum (an index
// can be made again from its log). The claim of an entry is checked against the log, not here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

inline constexpr std::size_t offset_index_entry_bytes = 8;
inline constexpr std::size_t time_index_entry_bytes = 12;
inline constexpr std::size_t aborted_transaction_bytes = 34;

/// `.index`: the batch that starts at `position` has the last offset base + relative_offset.
struct OffsetIndexEntry {
  std::int32_t relative_offset = 0;
  std::int32_t position = 0;
  bool operator==(const OffsetIndexEntry&) const = default;
};

/// `.timeindex`: the largest timestamp so far, and the last offset of the earliest batch that reached it.
struct TimeIndexEntry {
  std::int64_t timestamp_ms = 0;
  std::int32_t relative_offset = 0;
  bool operator==(const TimeIndexEntry&) const = default;
};

/// `.txnindex`: an aborted transaction that wrote data. Offsets are absolute; `last_offset` is the marker's.
struct AbortedTransaction {
  ProducerId producer_id = -1;
  Offset first_offset = 0;
  Offset last_offset = 0;
  Offset last_stable_offset = 0;  ///< The partition's after this abort.
  bool operator==(const AbortedTransaction&) const = default;
};

/// The caller of a load has checked that the entry's bytes are there, of a store that they fit.
inline OffsetIndexEntry load_offset_index_entry(const std::byte* from) noexcept {
  return {base::load_be<std::int32_t>(from), base::load_be<std::int32_t>(from + 4)};
}
inline void store_offset_index_entry(std::byte* to, const OffsetIndexEntry& entry) noexcept {
  base::store_be(to, entry.relative_offset);
  base::store_be(to + 4, entry.position);
}

inline TimeIndexEntry load_time_index_entry(const std::byte* from) noexcept {
  return {base::load_be<std::int64_t>(from), base::load_be<std::int32_t>(from + 8)};
}
inline void store_time_index_entry(std::byte* to, const TimeIndexEntry& entry) noexcept {
  base::store_be(to, entry.timestamp_ms);
  base::store_be(to + 8, entry.relative_offset);
}

/// False, with `out` unchanged, if the version is not 0 or a field contradicts another: the file is then to
/// be made again from the log.
bool load_aborted_transaction(const std::byte* from, AbortedTransaction& out) noexcept;
void store_aborted_transaction(std::byte* to, const AbortedTransaction& entry) noexcept;
/// A whole `.txnindex`.
std::vector<std::byte> encode_aborted_transactions(std::span<const AbortedTransaction> entries);

}  // namespace seriatim::format
