#include "base/crc32c.hpp"

#include <isa-l/crc.h>

namespace seriatim::base {
namespace {

#if defined(__x86_64__)

// Up to this size ISA-L spends longer on setting up than on the bytes: for 140 bytes it took 11 ns where the
// loop below took 5 ns, and near this size they met (an EPYC of 2024).
constexpr std::size_t short_bytes_max = 256;

// The instruction is not in the x86-64 baseline, hence the attribute and the question.
bool has_crc_instruction() noexcept { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t extend_short(std::uint32_t inverted,
                                                             ByteSpan bytes) noexcept {
  std::uint64_t wide = inverted;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) wide = __builtin_ia32_crc32di(wide, load_le<std::uint64_t>(at));
  auto narrow = static_cast<std::uint32_t>(wide);
  if (left >= 4) {
    narrow = __builtin_ia32_crc32si(narrow, load_le<std::uint32_t>(at));
    left -= 4;
    at += 4;
  }
  for (; left > 0; --left, ++at) narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<unsigned char>(*at));
  return narrow;
}

#endif

}  // namespace

std::uint32_t crc32c(ByteSpan bytes) noexcept { return crc32c_extend(0, bytes); }

std::uint32_t crc32c_extend(std::uint32_t crc_of_a, ByteSpan b) noexcept {
#if defined(__x86_64__)
  if (b.size() <= short_bytes_max && has_crc_instruction()) return ~extend_short(~crc_of_a, b);
#endif
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
