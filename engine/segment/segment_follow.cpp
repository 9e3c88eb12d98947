// A segment as the readers of another process's active one see it: maps made once, an end that is moved on by
// what a SegmentTail finds.
#include <utility>

#include "os/path.hpp"
#include "segment/segment.hpp"
#include "segment/segment_tail.hpp"

namespace seriatim::segment {

Result<std::shared_ptr<Segment>> Segment::follow(const SegmentContext& context, MapCache& maps,
                                                 const SegmentTail& tail) {
  auto log = tail.open_log();
  if (!log) return log.error();
  auto offsets = tail.open_index(tail.offset_index_);
  if (!offsets) return offsets.error();
  auto times = tail.open_index(tail.time_index_);
  if (!times) return times.error();
  const SegmentState& state = tail.state();
  // All that it may grow to. Address space only: no page behind the end that the tail has found is touched.
  auto log_map = (*log)->map(segment_bytes_max, os::Access::read);
  if (!log_map) return log_map.error();
  auto offset_file =
      IndexFile::open_followed(context, **offsets, OffsetIndex::entry_bytes, state.offset_index_entries);
  if (!offset_file) return offset_file.error();
  auto time_file =
      IndexFile::open_followed(context, **times, TimeIndex::entry_bytes, state.time_index_entries);
  if (!time_file) return time_file.error();

  std::shared_ptr<Segment> segment(
      new Segment(context, maps, os::parent_path((*log)->path()), state.base_offset));
  segment->take_state(state);
  auto pinned = std::make_shared<SegmentMaps>(
      SegmentMaps{*std::move(log_map), OffsetIndex(state.base_offset, *std::move(offset_file)),
                  TimeIndex(state.base_offset, *std::move(time_file))});
  segment->active_maps_ = pinned.get();
  const base::MutexLock lock(segment->maps_mutex_);
  segment->last_maps_ = pinned;
  segment->maps_ = std::move(pinned);
  return segment;
}

void Segment::extend_followed(const SegmentState& state) noexcept {
  active_maps_->offset_index.file().follow_to(state.offset_index_entries);
  active_maps_->time_index.file().follow_to(state.time_index_entries);
  max_timestamp_ms_.store(state.max_timestamp.timestamp_ms, std::memory_order_release);
  end_position_.store(state.end_position, std::memory_order_release);
  end_offset_.store(state.end_offset, std::memory_order_release);
}

}  // namespace seriatim::segment
