#include "partition/retention.hpp"

#include <algorithm>

namespace seriatim::partition {
namespace {

// The last time a record can have been written to the segment, for judging its age.
std::int64_t newest_ms(const segment::Segment& segment, std::int64_t now_ms) {
  const std::int64_t recorded = segment.max_timestamp_ms();
  if (recorded >= 0 && recorded <= now_ms) return recorded;
  const std::int64_t modified = segment.modified_ms();
  return modified >= 0 ? modified : now_ms;
}

// A segment may only go if what follows it is decided, so that the log start never passes the last stable
// offset.
bool successor_is_stable(const SegmentList& segments, std::size_t index, Offset last_stable_offset) {
  const Offset next_base =
      index + 1 < segments.size() ? segments[index + 1]->base_offset() : segments[index]->end_offset();
  return next_base <= last_stable_offset;
}

std::size_t count_below_start(const SegmentList& segments, Offset log_start) {
  std::size_t count = 0;
  while (count + 1 < segments.size() && segments[count + 1]->base_offset() <= log_start) ++count;
  return count;
}

std::size_t count_over_size(const SegmentList& segments, std::size_t from, const RetentionInput& input) {
  if (input.config.retention_bytes < 0) return from;
  std::uint64_t total = 0;
  for (std::size_t i = from; i < segments.size(); ++i) total += segments[i]->end_position();
  const auto allowed = static_cast<std::uint64_t>(input.config.retention_bytes);
  if (total <= allowed) return from;
  std::uint64_t excess = total - allowed;
  std::size_t count = from;
  while (count < segments.size() && !segments[count]->is_empty() &&
         segments[count]->end_position() <= excess &&
         successor_is_stable(segments, count, input.last_stable_offset)) {
    excess -= segments[count]->end_position();
    ++count;
  }
  return count;
}

std::size_t count_over_age(const SegmentList& segments, std::size_t from, const RetentionInput& input) {
  if (input.config.retention_ms < 0) return from;
  std::size_t count = from;
  while (count < segments.size() && !segments[count]->is_empty() &&
         input.now_ms - newest_ms(*segments[count], input.now_ms) > input.config.retention_ms &&
         successor_is_stable(segments, count, input.last_stable_offset)) {
    ++count;
  }
  return count;
}

}  // namespace

std::size_t count_deletable(const SegmentList& segments, const RetentionInput& input) {
  const std::size_t below_start = count_below_start(segments, input.log_start);
  if (input.config.cleanup_policy == CleanupPolicy::compact) return below_start;
  return count_over_age(segments, count_over_size(segments, below_start, input), input);
}

}  // namespace seriatim::partition
