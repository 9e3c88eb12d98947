#include "segment/time_proof.hpp"

#include <algorithm>

#include "format/batch_header.hpp"
#include "segment/header_walk.hpp"

namespace seriatim::segment {
namespace {

// An entry was made together with an entry of the offset index, or when the segment was closed, and names the
// first batch with the largest timestamp up to there. So it is borne out if that batch is there, no other one
// in the same interval of the offset index has reached its timestamp before, and its neighbours are in order:
// an entry that was moved into a later interval would have another one in between, unless no timestamp there
// is larger.
bool is_borne_out(const Segment& segment, const SegmentMaps& maps, std::uint64_t index) {
  const TimeIndex& times = maps.time_index;
  const TimestampOffset entry = times.at(index);
  const auto are_in_order = [](const TimestampOffset& a, const TimestampOffset& b) {
    return a.timestamp_ms < b.timestamp_ms && a.offset <= b.offset;
  };
  if (index > 0 && !are_in_order(times.at(index - 1), entry)) return false;
  if (index + 1 < times.count() && !are_in_order(entry, times.at(index + 1))) return false;
  HeaderWalk walk(segment, maps, entry.offset - 1);
  while (const auto item = walk.next()) {
    if (walk.take_damage()) return false;
    const format::BatchHeader& header = item->header;
    if (header.last_offset() >= entry.offset)
      return header.last_offset() == entry.offset && header.max_timestamp_ms == entry.timestamp_ms;
    if (header.max_timestamp_ms >= entry.timestamp_ms) return false;
  }
  return false;
}

}  // namespace

Result<std::int64_t> proven_max_timestamp_ms(Segment& segment) {
  const auto known = segment.proven_max_ms();
  if (known) return std::max(*known, segment.max_timestamp_ms());
  auto pin = segment.pin();
  if (!pin) return pin.error();
  // Batches that are appended from here on raise the timestamp that the segment tells.
  const TimeIndex& times = (*pin)->time_index;
  const std::uint64_t entries = times.count();
  const bool is_right = entries > 0 && is_borne_out(segment, **pin, entries - 1);
  std::int64_t largest = is_right ? times.at(entries - 1).timestamp_ms : format::no_timestamp_ms;
  HeaderWalk walk(segment, **pin, is_right ? times.at(entries - 1).offset : segment.base_offset() - 1);
  while (const auto item = walk.next()) largest = std::max(largest, item->header.max_timestamp_ms);
  segment.note_proven_max_ms(largest);
  return std::max(largest, segment.max_timestamp_ms());
}

Offset search_start(const Segment& segment, const SegmentMaps& maps, std::int64_t time_ms) {
  // Of batches with the timestamp of an entry it names the first only if it is right: strictly below.
  const std::uint64_t below = maps.time_index.count_below(time_ms);
  if (below == 0 || !is_borne_out(segment, maps, below - 1)) return segment.base_offset();
  return maps.time_index.at(below - 1).offset;
}

}  // namespace seriatim::segment
