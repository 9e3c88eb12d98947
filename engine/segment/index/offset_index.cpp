#include "segment/index/offset_index.hpp"

#include <array>

#include "base/assert.hpp"
#include "base/checked.hpp"
#include "format/index_entry.hpp"
#include "segment/index/index_sanity.hpp"

namespace seriatim::segment {
namespace {

static_assert(OffsetIndex::entry_bytes == format::offset_index_entry_bytes);

// Number of leading entries of [0, count) for which `is_before` holds; it holds for a prefix.
template <class Predicate>
std::uint64_t count_before(std::uint64_t count, Predicate is_before) noexcept {
  std::uint64_t low = 0;
  while (low < count) {
    const std::uint64_t middle = low + (count - low) / 2;
    if (is_before(middle)) {
      low = middle + 1;
    } else {
      count = middle;
    }
  }
  return low;
}

}  // namespace

Result<> OffsetIndex::stage(Offset last_offset, std::uint64_t position) {
  const auto before = last();
  SERIATIM_ASSERT(!before || (last_offset > before->last_offset && position > before->position));
  std::array<std::byte, entry_bytes> bytes;
  format::store_offset_index_entry(bytes.data(), {base::narrow<std::int32_t>(last_offset - base_offset_),
                                                  base::narrow<std::int32_t>(position)});
  return file_->stage(bytes.data());
}

Result<> OffsetIndex::append(Offset last_offset, std::uint64_t position) {
  if (auto staged = stage(last_offset, position); !staged) return staged;
  commit();
  return {};
}

OffsetPosition OffsetIndex::floor(Offset target) const noexcept {
  const std::uint64_t before =
      count_before(count(), [&](std::uint64_t index) { return at(index).last_offset <= target; });
  return before == 0 ? OffsetPosition{base_offset_, 0} : at(before - 1);
}

OffsetPosition OffsetIndex::floor_position(std::uint64_t position) const noexcept {
  const std::uint64_t before =
      count_before(count(), [&](std::uint64_t index) { return at(index).position <= position; });
  return before == 0 ? OffsetPosition{base_offset_, 0} : at(before - 1);
}

std::optional<OffsetPosition> OffsetIndex::last() const noexcept {
  const std::uint64_t entries = count();
  if (entries == 0) return std::nullopt;
  return at(entries - 1);
}

OffsetPosition OffsetIndex::at(std::uint64_t index) const noexcept {
  const auto entry = format::load_offset_index_entry(file_->entry(index));
  // Unsigned on the way, so that an entry nobody has checked cannot make the conversion negative.
  return {base_offset_ + entry.relative_offset, static_cast<std::uint32_t>(entry.position)};
}

std::uint64_t OffsetIndex::sane_prefix(std::uint64_t end_position) const noexcept {
  const std::uint64_t entries = count();
  if (entries == 0) return 0;
  return sane_offset_entries({file_->entry(0), entries * entry_bytes}, end_position);
}

}  // namespace seriatim::segment
