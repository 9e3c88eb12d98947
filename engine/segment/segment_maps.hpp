// The mapped bytes of one segment, shared by everybody who reads it. A holder of a SegmentMaps keeps the
// bytes, also after the segment was deleted: that is what pins are.
#pragma once

#include <memory>

#include "os/mapping.hpp"
#include "segment/index/offset_index.hpp"
#include "segment/index/time_index.hpp"

namespace seriatim::segment {

/// `log` spans what the segment may grow to; only bytes below Segment::end_position() may be touched.
struct SegmentMaps {
  os::Mapping log;
  OffsetIndex offset_index;
  TimeIndex time_index;

  /// Takes the blocks that the next entry of either index may need, for the writer.
  /// Errors: as IndexFile::make_room.
  Result<> make_index_room() {
    if (auto made = offset_index.file().make_room(); !made) return made;
    return time_index.file().make_room();
  }
};

using SegmentPin = std::shared_ptr<SegmentMaps>;

}  // namespace seriatim::segment
