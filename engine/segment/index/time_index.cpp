#include "segment/index/time_index.hpp"

#include <array>

#include "base/checked.hpp"
#include "format/index_entry.hpp"
#include "segment/index/index_sanity.hpp"

namespace seriatim::segment {

static_assert(TimeIndex::entry_bytes == format::time_index_entry_bytes);

Result<bool> TimeIndex::stage(TimestampOffset entry) {
  const auto before = last();
  if (entry.timestamp_ms <= (before ? before->timestamp_ms : -1)) return false;
  // The entry before is not right (a file has no checksum to show it): none can follow it in order.
  if (before && entry.offset < before->offset) return false;
  std::array<std::byte, entry_bytes> bytes;
  format::store_time_index_entry(
      bytes.data(), {entry.timestamp_ms, base::narrow<std::int32_t>(entry.offset - base_offset_)});
  if (auto staged = file_->stage(bytes.data()); !staged) return std::move(staged).error();
  return true;
}

std::uint64_t TimeIndex::count_below(std::int64_t timestamp_ms) const noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = count();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (at(middle).timestamp_ms < timestamp_ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<TimestampOffset> TimeIndex::last() const noexcept {
  const std::uint64_t entries = count();
  if (entries == 0) return std::nullopt;
  return at(entries - 1);
}

TimestampOffset TimeIndex::at(std::uint64_t index) const noexcept {
  const auto entry = format::load_time_index_entry(file_->entry(index));
  return {entry.timestamp_ms, base_offset_ + entry.relative_offset};
}

std::uint64_t TimeIndex::sane_prefix() const noexcept {
  const std::uint64_t entries = count();
  if (entries == 0) return 0;
  return sane_time_entries({file_->entry(0), entries * entry_bytes});
}

}  // namespace seriatim::segment
