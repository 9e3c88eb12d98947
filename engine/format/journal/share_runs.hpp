// Runs of offsets as share groups store them, one after another: a gap, a length and, of a delivered run, its
// state and count. docs/data_directory.md has the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

/// Offsets from `first` to `last`, both included.
struct ShareOffsets {
  Offset first = 0;
  Offset last = 0;
  bool operator==(const ShareOffsets&) const = default;
};

/// Offsets that a group's members were given alike.
struct ShareRun {
  ShareOffsets offsets{};
  std::uint8_t state = 0;  ///< 0 available, 1 acquired, 2 acknowledged, 4 archived.
  std::int16_t delivery_count = 0;
  bool operator==(const ShareRun&) const = default;
};

/// The bytes that a run of offsets takes at most: two varlongs.
inline constexpr std::size_t share_offsets_bytes_max = 20;

/// Adds a section: the number of runs (uint32, little-endian) and the runs.
/// @param runs  from 0 on, ascending, without overlap, states and counts in their range.
void append_share_runs(std::vector<std::byte>& to, std::span<const ShareRun> runs);
void append_share_offsets(std::vector<std::byte>& to, std::span<const ShareOffsets> runs);

/// The section at the beginning of `from`, which moves behind it.
/// Errors: corrupt_metadata: there is none, or a field is outside its range, or longer than it has to be.
/// Threads: any.
Result<std::vector<ShareRun>> take_share_runs(base::ByteSpan& from);
Result<std::vector<ShareOffsets>> take_share_offsets(base::ByteSpan& from);

}  // namespace seriatim::format
