#include "base/crc32c.hpp"

#include <isa-l/crc.h>

#if defined(__x86_64__)
#include <wmmintrin.h>

#include <array>
#endif

namespace seriatim::base {
namespace {

#if defined(__x86_64__)

// Up to this size ISA-L spends longer on setting up than on the bytes: for 140 bytes it took 11 ns where the
// loops below took 3 ns, and near this size they met (an EPYC of 2024).
constexpr std::size_t short_bytes_max = 512;
constexpr std::size_t word_bytes = 8;
// Below this many words the three streams cost more than they save: their combination takes about as long as
// five words, one behind the other.
constexpr std::size_t three_streams_words_min = 9;

// Polynomials modulo the CRC's, bits reflected: bit 31 is x^0.
constexpr std::uint32_t times_x(std::uint32_t power) noexcept {
  return (power >> 1) ^ ((power & 1) != 0 ? 0x82F63B78U : 0U);
}
constexpr std::uint32_t power_of_x(std::size_t n) noexcept {
  std::uint32_t power = 0x80000000U;
  for (; n > 0; --n) power = times_x(power);
  return power;
}

// The factor by which a CRC register is to be multiplied, without carries, so that the instruction, given the
// product, returns that register as it would be after `bytes` zero bytes: x^(8 bytes) over x^33, which the
// product's reflection (1) and the instruction (32) contribute. Below 5 bytes that is no power; nobody asks.
constexpr std::size_t shift_bytes_min = 5;
constexpr auto shift_factors = [] {
  std::array<std::uint32_t, short_bytes_max + 1> factors{};
  std::uint32_t factor = power_of_x(8 * shift_bytes_min - 33);
  for (std::size_t bytes = shift_bytes_min; bytes < factors.size(); ++bytes) {
    factors[bytes] = factor;
    for (int bit = 0; bit < 8; ++bit) factor = times_x(factor);
  }
  return factors;
}();

// The instructions are not in the x86-64 baseline, hence the attributes and the question.
bool has_crc_instructions() noexcept {
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("pclmul") != 0;
}

// The product that the instruction turns into `crc` moved over `bytes` bytes.
__attribute__((target("sse4.2,pclmul"))) std::uint64_t shifted(std::uint64_t crc,
                                                               std::size_t bytes) noexcept {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                                               _mm_cvtsi64_si128(shift_factors[bytes]), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
}

// The instruction waits three cycles for its predecessor and could start every cycle, so three thirds are
// summed side by side. The registers of the first two then enter the last word of the third.
__attribute__((target("sse4.2,pclmul"))) std::uint64_t extend_three_streams(
    std::uint64_t first, const std::byte* at, std::size_t third_words) noexcept {
  const std::size_t third = third_words * word_bytes;
  const std::byte* const end = at + third - word_bytes;
  std::uint64_t second = 0;
  std::uint64_t last = 0;
  for (; at < end; at += word_bytes) {
    first = __builtin_ia32_crc32di(first, load_le<std::uint64_t>(at));
    second = __builtin_ia32_crc32di(second, load_le<std::uint64_t>(at + third));
    last = __builtin_ia32_crc32di(last, load_le<std::uint64_t>(at + 2 * third));
  }
  first = __builtin_ia32_crc32di(first, load_le<std::uint64_t>(at));
  second = __builtin_ia32_crc32di(second, load_le<std::uint64_t>(at + third));
  const std::uint64_t others = shifted(first, 2 * third) ^ shifted(second, third);
  return __builtin_ia32_crc32di(last, load_le<std::uint64_t>(at + 2 * third) ^ others);
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t extend_short(std::uint32_t inverted,
                                                                    ByteSpan bytes) noexcept {
  std::uint64_t wide = inverted;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  if (const std::size_t words = left / word_bytes; words >= three_streams_words_min) {
    const std::size_t third_words = words / 3;
    wide = extend_three_streams(wide, at, third_words);
    at += 3 * third_words * word_bytes;
    left -= 3 * third_words * word_bytes;
  }
  for (; left >= word_bytes; left -= word_bytes, at += word_bytes)
    wide = __builtin_ia32_crc32di(wide, load_le<std::uint64_t>(at));
  auto narrow = static_cast<std::uint32_t>(wide);
  if (left >= 4) {
    narrow = __builtin_ia32_crc32si(narrow, load_le<std::uint32_t>(at));
    left -= 4;
    at += 4;
  }
  for (; left > 0; --left, ++at) narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<unsigned char>(*at));
  return narrow;
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t join_short(std::uint32_t first, std::uint32_t second,
                                                                  std::size_t second_bytes) noexcept {
  return static_cast<std::uint32_t>(__builtin_ia32_crc32di(0, shifted(first, second_bytes))) ^ second;
}

#endif

}  // namespace

std::uint32_t crc32c(ByteSpan bytes) noexcept { return crc32c_extend(0, bytes); }

std::uint32_t crc32c_append(std::uint32_t crc_of_a, std::uint32_t crc_of_b, ByteSpan b) noexcept {
#if defined(__x86_64__)
  if (b.size() >= shift_bytes_min && b.size() <= short_bytes_max && has_crc_instructions())
    return join_short(crc_of_a, crc_of_b, b.size());
#endif
  return crc32c_extend(crc_of_a, b);
}

std::uint32_t crc32c_extend(std::uint32_t crc_of_a, ByteSpan b) noexcept {
#if defined(__x86_64__)
  if (b.size() <= short_bytes_max && has_crc_instructions()) return ~extend_short(~crc_of_a, b);
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
