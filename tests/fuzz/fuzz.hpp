// The common part of the fuzz targets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace seriatim::test {

/// How far a fuzzed section may expand; large enough for every branch, small enough to be quick.
inline constexpr std::size_t fuzz_section_bytes_max = std::size_t{1} << 20;

inline base::ByteSpan fuzz_input(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const std::byte*>(data), size};
}

}  // namespace seriatim::test
