#include "segment/index/index_builder.hpp"

#include "base/checked.hpp"
#include "format/index_entry.hpp"

namespace seriatim::segment {

void IndexBuilder::start_from(base::ByteSpan offset_entries, base::ByteSpan time_entries) {
  offset_entries_.assign(offset_entries.begin(), offset_entries.end());
  time_entries_.assign(time_entries.begin(), time_entries.end());
  if (!offset_entries_.empty()) {
    const auto* last = offset_entries_.data() + offset_entries_.size() - format::offset_index_entry_bytes;
    last_entry_position_ = static_cast<std::uint32_t>(format::load_offset_index_entry(last).position);
  }
  if (!time_entries_.empty()) {
    const auto* last = time_entries_.data() + time_entries_.size() - format::time_index_entry_bytes;
    const auto entry = format::load_time_index_entry(last);
    max_ = {entry.timestamp_ms, base_offset_ + entry.relative_offset};
    last_entry_timestamp_ms_ = entry.timestamp_ms;
  }
}

void IndexBuilder::note(std::uint64_t position, const format::BatchHeader& header) {
  // The earliest batch keeps a timestamp that a later one only equals.
  if (header.max_timestamp_ms > max_.timestamp_ms) max_ = {header.max_timestamp_ms, header.last_offset()};
  if (position - last_entry_position_ <= interval_bytes_) return;
  const std::size_t at = offset_entries_.size();
  offset_entries_.resize(at + format::offset_index_entry_bytes);
  format::store_offset_index_entry(offset_entries_.data() + at,
                                   {base::narrow<std::int32_t>(header.last_offset() - base_offset_),
                                    base::narrow<std::int32_t>(position)});
  last_entry_position_ = position;
  add_time_entry();
}

void IndexBuilder::close() { add_time_entry(); }

void IndexBuilder::add_time_entry() {
  if (max_.timestamp_ms <= last_entry_timestamp_ms_) return;
  const std::size_t at = time_entries_.size();
  time_entries_.resize(at + format::time_index_entry_bytes);
  format::store_time_index_entry(time_entries_.data() + at,
                                 {max_.timestamp_ms, base::narrow<std::int32_t>(max_.offset - base_offset_)});
  last_entry_timestamp_ms_ = max_.timestamp_ms;
}

}  // namespace seriatim::segment
