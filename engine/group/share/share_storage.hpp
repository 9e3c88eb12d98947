// The stored forms of a share group's progress: the part of a change that lasts, for a frame, and the row in
// the catalog.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/journal/journal_share.hpp"
#include "group/share/share_types.hpp"
#include "group/share/share_window.hpp"

namespace seriatim::group {

/// Names and values of a group's settings; names that this version does not know are kept.
using ShareSettings = std::map<std::string, std::string>;

format::ShareRun to_stored(const DeliveredRun& run) noexcept;
/// Of a run that was parsed.
DeliveredRun to_delivered(const format::ShareRun& run) noexcept;
DeliveryProgress to_progress(Offset start_offset, const std::vector<format::ShareRun>& runs);

/// From there on nothing was delivered.
Offset end_of(const DeliveryProgress& progress) noexcept;
/// The part below `end`.
DeliveryProgress below(const DeliveryProgress& progress, Offset end);

/// Where the window begins once the change is applied.
Offset start_after(const ShareWindow& window, const ShareChange& change) noexcept;
/// Takes the place of `runs`: those of the change that end at or behind `start`, and that a restart has to
/// know: state or count differ from what the window has. A run that waits for its letter is told as acquired,
/// which it was.
void collect_lasting(const ShareWindow& window, const ShareChange& change, Offset start,
                     std::vector<format::ShareRun>& runs);

/// The payload of the row takes the place of what `payload` holds.
void encode_share_row(const DeliveryProgress& progress, std::vector<std::byte>& payload);
/// Errors: corrupt_metadata: it is not exactly one row.
Result<DeliveryProgress> decode_share_row(base::ByteSpan payload);

void encode_share_settings(const ShareSettings& settings, std::vector<std::byte>& payload);
/// Errors: corrupt_metadata.
Result<ShareSettings> decode_share_settings(base::ByteSpan payload);
format::ShareConfigPairs views_of(const ShareSettings& settings);
ShareSettings copy_of(const format::ShareConfigPairs& pairs);

}  // namespace seriatim::group
