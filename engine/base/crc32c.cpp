#include "base/crc32c.hpp"

#include <limits>

#include <isa-l/crc.h>

namespace seriatim::base {

std::uint32_t crc32c(ByteSpan bytes) noexcept { return crc32c_extend(0, bytes); }

std::uint32_t crc32c_extend(std::uint32_t crc_of_a, ByteSpan b) noexcept {
  // ISA-L takes the inverted running value, an int length and a non-const pointer it does not write to.
  constexpr std::size_t piece_max = 1U << 30;
  std::uint32_t inverted = ~crc_of_a;
  while (!b.empty()) {
    const std::size_t piece = b.size() < piece_max ? b.size() : piece_max;
    auto* from = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(b.data()));
    inverted = crc32_iscsi(from, static_cast<int>(piece), inverted);
    b = b.subspan(piece);
  }
  return ~inverted;
}

}  // namespace seriatim::base
