#include "segment/header_walk.hpp"

#include "format/batch_check.hpp"

namespace seriatim::segment {

HeaderWalk::HeaderWalk(const Segment& segment, const SegmentMaps& maps, Offset from)
    : maps_(maps), base_offset_(segment.base_offset()), end_(segment.end_position()) {
  const auto floor = maps_.offset_index.floor(from);
  if (floor.position == 0 || floor.position >= end_) return;
  // An index has no checksum.
  const auto header = header_at(floor.position);
  if (header && header->last_offset() == floor.last_offset) position_ = floor.position;
}

std::optional<format::BatchHeader> HeaderWalk::header_at(std::uint64_t position) const {
  const base::ByteSpan rest{maps_.log.data() + position, static_cast<std::size_t>(end_ - position)};
  if (format::check_structure(rest, base_offset_) != format::BatchFault::none) return std::nullopt;
  return format::read_batch_header(rest.data());
}

std::optional<HeaderWalk::Item> HeaderWalk::next() {
  while (position_ < end_) {
    if (const auto header = header_at(position_)) {
      const Item item{.header = *header, .batch = {maps_.log.data() + position_, header->size_bytes()}};
      position_ += header->size_bytes();
      return item;
    }
    met_damage_ = true;
    const auto later = maps_.offset_index.first_after_position(position_);
    position_ = later && later->position > position_ ? later->position : end_;
  }
  return std::nullopt;
}

}  // namespace seriatim::segment
