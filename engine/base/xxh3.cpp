#include "base/xxh3.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace seriatim::base {

std::uint64_t xxh3_64(ByteSpan bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash128 xxh3_128(ByteSpan bytes) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

}  // namespace seriatim::base
