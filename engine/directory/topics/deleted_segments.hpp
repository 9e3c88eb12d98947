// Remains of deleted topics: segments that readers hold, whose bytes take space until they let go.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/mutex.hpp"
#include "segment/segment.hpp"

namespace seriatim::directory {

/// Threads: any.
class DeletedSegments {
 public:
  void add(std::vector<segment::SegmentPtr> segments) {
    const base::MutexLock lock(mutex_);
    segments_.insert(segments_.end(), segments.begin(), segments.end());
  }
  /// Log bytes that are still held.
  std::uint64_t pinned_bytes() {
    const base::MutexLock lock(mutex_);
    std::erase_if(segments_, [](const segment::SegmentPtr& segment) { return !segment->is_pinned(); });
    std::uint64_t bytes = 0;
    for (const auto& segment : segments_) bytes += segment->end_position();
    return bytes;
  }

 private:
  base::Mutex mutex_;
  std::vector<segment::SegmentPtr> segments_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::directory
