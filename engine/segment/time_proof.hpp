// The worth of a time index. It has no checksum: an entry is a hint, believed as far as the batches of the
// log bear it out. Where they do not, the log itself is asked.
#pragma once

#include <cstdint>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "segment/segment.hpp"

namespace seriatim::segment {

/// The largest timestamp of the batches in `segment`, -1 if there is none; at least what the segment itself
/// says. Batches that cannot be read count only as far as that does.
/// Threads: any.
/// Errors: as Segment::pin.
/// Cost: nothing after the first call for a segment, or if this process has made it. The first call reads the
/// headers behind the largest timestamp, which is one batch where timestamps ascend; all headers if the last
/// entry of the time index is wrong.
Result<std::int64_t> proven_max_timestamp_ms(Segment& segment);

/// An offset below which no batch of `segment` has a timestamp of at least `time_ms`; the base offset if no
/// entry of the time index is borne out.
/// Threads: any.
/// @param maps  of `segment`, pinned.
/// Cost: a binary search, and the headers of at most index.interval.bytes.
Offset search_start(const Segment& segment, const SegmentMaps& maps, std::int64_t time_ms);

}  // namespace seriatim::segment
