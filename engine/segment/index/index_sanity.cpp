#include "segment/index/index_sanity.hpp"

#include <algorithm>

#include "format/index_entry.hpp"

namespace seriatim::segment {

std::uint64_t sane_offset_entries(base::ByteSpan entries, std::uint64_t end_position) noexcept {
  constexpr std::size_t entry_bytes = format::offset_index_entry_bytes;
  format::OffsetIndexEntry before{-1, 0};
  std::uint64_t sane = 0;
  for (std::size_t at = 0; at + entry_bytes <= entries.size(); at += entry_bytes) {
    const auto entry = format::load_offset_index_entry(entries.data() + at);
    if (entry.relative_offset <= before.relative_offset || entry.position <= before.position) break;
    if (static_cast<std::uint64_t>(entry.position) >= end_position) break;
    before = entry;
    ++sane;
  }
  return sane;
}

std::uint64_t sane_time_entries(base::ByteSpan entries, std::int64_t relative_offset_max) noexcept {
  constexpr std::size_t entry_bytes = format::time_index_entry_bytes;
  format::TimeIndexEntry before{-1, 0};
  std::uint64_t sane = 0;
  for (std::size_t at = 0; at + entry_bytes <= entries.size(); at += entry_bytes) {
    const auto entry = format::load_time_index_entry(entries.data() + at);
    if (entry.timestamp_ms <= before.timestamp_ms || entry.relative_offset < before.relative_offset) break;
    if (entry.relative_offset > relative_offset_max) break;
    before = entry;
    ++sane;
  }
  return sane;
}

}  // namespace seriatim::segment
