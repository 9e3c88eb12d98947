// XXH3, the checksum of everything of ours that is not a Kafka format, and the key hash of compaction.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
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
/// XXH3-64 with a seed of the caller's. Any thread.
std::uint64_t xxh3_64(ByteSpan bytes, std::uint64_t seed) noexcept;
/// XXH3-128 with seed 0. Any thread.
Hash128 xxh3_128(ByteSpan bytes) noexcept;

/// XXH3-64 of bytes that do not lie together: `digest` is `xxh3_64` of all that was given since `reset`.
/// Threads: one at a time.
class Xxh3Stream {
 public:
  explicit Xxh3Stream(std::uint64_t seed = 0) noexcept;
  /// Begins again.
  /// Cost: a few stores while the seed stays the same.
  void reset(std::uint64_t seed) noexcept;
  void update(ByteSpan bytes) noexcept;
  std::uint64_t digest() const noexcept;

 private:
  // XXH3_state_t, whose header stays out of this one; xxh3.cpp asserts size and alignment.
  alignas(64) std::array<std::byte, 576> state_;
};

}  // namespace seriatim::base
