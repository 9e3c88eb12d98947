#include "format/murmur2.hpp"

namespace seriatim::format {

std::uint32_t murmur2(base::ByteSpan bytes) noexcept {
  constexpr std::uint32_t seed = 0x9747B28C;  // Kafka's
  constexpr std::uint32_t m = 0x5BD1E995;
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    std::uint32_t group = base::load_le<std::uint32_t>(bytes.data()) * m;
    group ^= group >> 24;
    hash = (hash * m) ^ (group * m);
  }
  if (!bytes.empty()) {
    std::uint32_t tail = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) tail = (tail << 8) | static_cast<std::uint32_t>(bytes[i]);
    hash = (hash ^ tail) * m;
  }
  hash ^= hash >> 13;
  hash *= m;
  return hash ^ (hash >> 15);
}

PartitionId partition_for_key(base::ByteSpan key, std::int32_t partition_count) noexcept {
  return static_cast<PartitionId>(murmur2(key) & 0x7FFF'FFFFU) % partition_count;
}

}  // namespace seriatim::format
