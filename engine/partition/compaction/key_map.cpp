#include "partition/compaction/key_map.hpp"

#include <algorithm>

namespace seriatim::partition {

KeyMap::KeyMap(std::uint64_t bytes)
    : slots_(std::max<std::size_t>(2, static_cast<std::size_t>(bytes / sizeof(Slot)))) {}

std::uint64_t KeyMap::bytes_for(std::uint64_t keys, std::uint64_t bytes_max) noexcept {
  if (keys > bytes_max / sizeof(Slot)) return bytes_max;
  // One slot more than the load factor asks for, because the capacity is rounded down.
  return std::min(bytes_max, (keys * 10 / 9 + 1) * sizeof(Slot));
}

// The slot of `hash`, or the free one where it belongs. There is always a free one: at most 0.9 of the slots
// are used.
std::size_t KeyMap::find(const base::Hash128& hash) const noexcept {
  std::size_t at = static_cast<std::size_t>(hash.low % slots_.size());
  while (slots_[at].offset >= 0 && slots_[at].hash != hash) at = at + 1 == slots_.size() ? 0 : at + 1;
  return at;
}

bool KeyMap::put(base::ByteSpan key, Offset offset) {
  const base::Hash128 hash = base::xxh3_128(key);
  Slot& slot = slots_[find(hash)];
  if (slot.offset < 0) {
    if (size_ >= capacity()) return false;
    slot.hash = hash;
    ++size_;
  }
  slot.offset = offset;
  return true;
}

Offset KeyMap::newest(base::ByteSpan key) const noexcept { return slots_[find(base::xxh3_128(key))].offset; }

}  // namespace seriatim::partition
