#include "base/xxh3.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

namespace seriatim::base {
namespace {

XXH3_state_t* state_in(std::byte* storage) noexcept {
  return std::launder(reinterpret_cast<XXH3_state_t*>(storage));
}

}  // namespace

std::uint64_t xxh3_64(ByteSpan bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t xxh3_64(ByteSpan bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 xxh3_128(ByteSpan bytes) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Xxh3Stream::Xxh3Stream(std::uint64_t seed) noexcept {
  static_assert(sizeof(state_) >= sizeof(XXH3_state_t));
  static_assert(alignof(Xxh3Stream) >= alignof(XXH3_state_t));
  XXH3_INITSTATE(new (state_.data()) XXH3_state_t);
  reset(seed);
}

void Xxh3Stream::reset(std::uint64_t seed) noexcept {
  XXH3_64bits_reset_withSeed(state_in(state_.data()), seed);
}

void Xxh3Stream::update(ByteSpan bytes) noexcept {
  XXH3_64bits_update(state_in(state_.data()), bytes.data(), bytes.size());
}

std::uint64_t Xxh3Stream::digest() const noexcept {
  return XXH3_64bits_digest(std::launder(reinterpret_cast<const XXH3_state_t*>(state_.data())));
}

}  // namespace seriatim::base
