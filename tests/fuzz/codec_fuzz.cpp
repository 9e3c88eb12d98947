// Compressed sections: the first byte chooses the codec. Decompressing stays within its bound, and what comes
// out comes back after compressing it.
#include "fuzz/fuzz.hpp"

#include <vector>

#include "format/compression/codec.hpp"

namespace seriatim::test {
namespace {

using namespace seriatim::format;

void round_trip(Codec codec, base::ByteSpan plain) {
  std::vector<std::byte> packed;
  SERIATIM_ASSERT(compress(codec, {}, plain, packed).ok());
  std::vector<std::byte> back;
  SERIATIM_ASSERT(decompress(codec, packed, plain.size(), back).ok());
  SERIATIM_ASSERT(back == std::vector<std::byte>(plain.begin(), plain.end()));
}

}  // namespace
}  // namespace seriatim::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seriatim::test;
  if (size == 0) return 0;
  const auto codec = static_cast<Codec>(data[0] & 7U);
  const seriatim::base::ByteSpan section = fuzz_input(data + 1, size - 1);
  std::vector<std::byte> plain;
  const seriatim::Result<void> done = decompress(codec, section, fuzz_section_bytes_max, plain);
  SERIATIM_ASSERT(plain.size() <= (done.ok() ? fuzz_section_bytes_max : 0));
  if (codec > Codec::zstd) {
    SERIATIM_ASSERT(!done.ok());
    return 0;
  }
  if (done.ok()) round_trip(codec, plain);
  round_trip(codec, section);
  return 0;
}
