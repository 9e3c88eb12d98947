// The segments of a partition in offset order: an immutable value that readers pin and writers replace.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <seriatim/types.hpp>

#include "base/assert.hpp"
#include "segment/segment.hpp"

namespace seriatim::partition {

class SegmentList {
 public:
  SegmentList() = default;
  /// `segments` are ascending by base offset.
  explicit SegmentList(std::vector<segment::SegmentPtr> segments) noexcept : segments_(std::move(segments)) {}

  bool empty() const noexcept { return segments_.empty(); }
  std::size_t size() const noexcept { return segments_.size(); }
  const segment::SegmentPtr& operator[](std::size_t index) const noexcept { return segments_[index]; }
  const segment::SegmentPtr& front() const noexcept { return segments_.front(); }
  const segment::SegmentPtr& back() const noexcept { return segments_.back(); }
  auto begin() const noexcept { return segments_.begin(); }
  auto end() const noexcept { return segments_.end(); }

  /// Index of the last segment whose base offset is <= `offset`; 0 if there is none. Not for an empty list.
  std::size_t find(Offset offset) const noexcept {
    SERIATIM_ASSERT(!segments_.empty());
    const auto after = std::upper_bound(
        segments_.begin(), segments_.end(), offset,
        [](Offset target, const segment::SegmentPtr& s) { return target < s->base_offset(); });
    return after == segments_.begin() ? 0 : static_cast<std::size_t>(after - segments_.begin()) - 1;
  }

 private:
  std::vector<segment::SegmentPtr> segments_;
};

}  // namespace seriatim::partition
