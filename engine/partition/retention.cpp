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

/// The log start, if the segment goes.
Offset start_behind(const SegmentList& segments, std::size_t index) {
  return index + 1 < segments.size() ? segments[index + 1]->base_offset() : segments[index]->end_offset();
}

// A segment may only go if what follows it is decided, so that the log start never passes the last stable
// offset.
bool successor_is_stable(const SegmentList& segments, std::size_t index, Offset last_stable_offset) {
  return start_behind(segments, index) <= last_stable_offset;
}

Offset read_below(const std::vector<std::string>& named, const GroupsRead& read) {
  return named == read.groups ? read.below : 0;
}

std::size_t count_below_start(const SegmentList& segments, Offset log_start) {
  std::size_t count = 0;
  while (count + 1 < segments.size() && segments[count + 1]->base_offset() <= log_start) ++count;
  return count;
}

// The last segment is the one that is written to: it stays, however much of it was read.
std::size_t count_consumed(const SegmentList& segments, std::size_t from, const RetentionInput& input) {
  if (input.config.retention_consumed_groups.empty()) return from;
  const Offset read = read_below(input.config.retention_consumed_groups, input.read.consumed);
  const Offset bound = std::min(read, input.last_stable_offset);
  std::size_t count = from;
  while (count + 1 < segments.size() && start_behind(segments, count) <= bound) ++count;
  return count;
}

std::size_t count_unneeded(const SegmentList& segments, const RetentionInput& input) {
  if (input.config.retention_unread_groups.empty()) return segments.size();
  const Offset read = read_below(input.config.retention_unread_groups, input.read.unread);
  std::size_t count = 0;
  while (count < segments.size() && start_behind(segments, count) <= read) ++count;
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
  const std::size_t consumed = count_consumed(segments, below_start, input);
  const std::size_t count = count_over_age(segments, count_over_size(segments, consumed, input), input);
  return std::max(below_start, std::min(count, count_unneeded(segments, input)));
}

}  // namespace seriatim::partition
