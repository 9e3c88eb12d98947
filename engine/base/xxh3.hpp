// XXH3, the checksum of everything of ours that is not a Kafka format, and the key hash of compaction.
#pragma once

#include <compare>
#include <cstdint>

#include "base/bytes.hpp"

namespace seriatim::base {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Hash128&) const = default;
};

/// XXH3-64 with seed 0. Any thread.
std::uint64_t xxh3_64(ByteSpan bytes) noexcept;
/// XXH3-128 with seed 0. Any thread.
Hash128 xxh3_128(ByteSpan bytes) noexcept;

}  // namespace seriatim::base
