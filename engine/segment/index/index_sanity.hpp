// Which leading entries of an index can be right. Indexes have no checksum; what damage leaves behind (zeros,
// a page that was never written, a flipped bit) nearly always breaks the order of the entries.
#pragma once

#include <cstdint>
#include <limits>

#include "base/bytes.hpp"

namespace seriatim::segment {

/// Leading offset index entries that increase strictly in both columns and whose batches begin below
/// `end_position`. Position 0 is never right: the first batch of a segment has no entry.
std::uint64_t sane_offset_entries(base::ByteSpan entries, std::uint64_t end_position) noexcept;

/// Leading time index entries whose timestamps increase strictly, whose offsets do not go back, and whose
/// offsets relative to the base are at most `relative_offset_max`.
std::uint64_t sane_time_entries(
    base::ByteSpan entries,
    std::int64_t relative_offset_max = std::numeric_limits<std::int32_t>::max()) noexcept;

}  // namespace seriatim::segment
