#include "segment/header_walk.hpp"

#include "format/batch/batch_check.hpp"
#include "segment/scan/batch_search.hpp"

namespace seriatim::segment {

HeaderWalk::HeaderWalk(const Segment& segment, const SegmentMaps& maps, Offset from)
    : maps_(maps),
      end_(segment.end_position()),
      lowest_base_(segment.base_offset()),
      given_lowest_base_(lowest_base_) {
  const auto floor = maps_.offset_index.floor(from);
  if (floor.position == 0 || floor.position >= end_) return;
  // An index has no checksum.
  const auto header = header_at(floor.position);
  if (!header || header->last_offset() != floor.last_offset) return;
  position_ = given_position_ = floor.position;
  lowest_base_ = header->base_offset;
}

std::optional<format::BatchHeader> HeaderWalk::header_at(std::uint64_t position) const {
  const base::ByteSpan rest{maps_.log.data() + position, static_cast<std::size_t>(end_ - position)};
  if (format::check_structure(rest, lowest_base_) != format::BatchFault::none) return std::nullopt;
  return format::read_batch_header(rest.data());
}

bool HeaderWalk::last_given_is_sound() const noexcept {
  return format::crc_is_valid(
      {maps_.log.data() + given_position_, static_cast<std::size_t>(position_ - given_position_)});
}

// A gap is right where compaction has been, and else the trace of a length that was flipped.
std::optional<format::BatchHeader> HeaderWalk::next_header() const {
  const auto header = header_at(position_);
  const bool is_first = given_position_ == position_;
  if (!header || is_first || header->base_offset == lowest_base_) return header;
  return last_given_is_sound() ? header : std::nullopt;
}

std::optional<HeaderWalk::Item> HeaderWalk::next() {
  while (position_ < end_) {
    if (const auto header = next_header()) {
      const Item item{.header = *header, .batch = {maps_.log.data() + position_, header->size_bytes()}};
      given_position_ = position_;
      given_lowest_base_ = lowest_base_;
      position_ += header->size_bytes();
      lowest_base_ = header->next_offset();
      return item;
    }
    pass_damage();
  }
  return std::nullopt;
}

void HeaderWalk::pass_damage() {
  met_damage_ = true;
  if (given_position_ < position_ && !last_given_is_sound()) {
    position_ = given_position_;
    lowest_base_ = given_lowest_base_;
  }
  MappedLogBytes bytes({maps_.log.data(), static_cast<std::size_t>(end_)});
  const auto sound =
      find_sound_batch(bytes, {.fault_position = position_, .end = end_, .lowest_base = lowest_base_});
  const bool goes_on = sound && *sound;
  position_ = given_position_ = goes_on ? (*sound)->position : end_;
  if (goes_on) lowest_base_ = (*sound)->header.base_offset;
}

}  // namespace seriatim::segment
