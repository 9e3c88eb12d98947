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
      new Segment(maps, NamedFiles(context, os::parent_path((*log)->path()), state.base_offset)));
  segment->end_.begin_at(state);
  segment->maps_.hold(std::make_shared<SegmentMaps>(
      SegmentMaps{*std::move(log_map), OffsetIndex(state.base_offset, *std::move(offset_file)),
                  TimeIndex(state.base_offset, *std::move(time_file))}));
  return segment;
}

void Segment::extend_followed(const SegmentState& state) noexcept {
  // Held until the end is final.
  if (const SegmentPin maps = maps_.present()) {
    maps->offset_index.file().follow_to(state.offset_index_entries);
    maps->time_index.file().follow_to(state.time_index_entries);
  }
  end_.raise_max_timestamp(state.max_timestamp.timestamp_ms);
  end_.publish(state.end_position, state.end_offset);
}

}  // namespace seriatim::segment
