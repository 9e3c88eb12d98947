#include <doctest/doctest.h>

#include "format/compression/codec.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

TEST_CASE("gzip sections are RFC 1952 members") {
  test::Bytes out;
  REQUIRE(compress(Codec::gzip, {}, test::example_plain_section(), out));
  CHECK(test::to_hex(base::ByteSpan(out).first(3)) == "1f 8b 08");
  CHECK(base::load_le<std::uint32_t>(out.data() + out.size() - 4) == test::example_plain_section().size());
}

TEST_CASE("concatenated gzip members are read through") {
  const test::Bytes plain = test::example_plain_section();
  test::Bytes packed;
  REQUIRE(compress(Codec::gzip, {}, base::ByteSpan(plain).first(20), packed));
  REQUIRE(compress(Codec::gzip, 9, base::ByteSpan(plain).subspan(20), packed));
  test::Bytes out;
  REQUIRE(decompress(Codec::gzip, packed, plain.size(), out));
  CHECK(out == plain);
}

TEST_CASE("a gzip member whose content does not fit its checksum is refused") {
  test::Bytes packed;
  REQUIRE(compress(Codec::gzip, {}, test::example_plain_section(), packed));
  packed[packed.size() - 8] ^= std::byte{1};
  test::Bytes out;
  const Result<void> done = decompress(Codec::gzip, packed, 1000, out);
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::corrupt_record);
}

TEST_CASE("a gzip member that is right and cannot be read is told from damage") {
  test::Bytes plain;
  REQUIRE(compress(Codec::gzip, {}, test::example_plain_section(), plain));
  for (const bool is_second : {false, true}) {
    for (const std::size_t at : {std::size_t{2}, std::size_t{3}}) {
      test::Bytes packed = plain;
      packed[at] ^= std::byte{0x80};  // another method; a reserved flag
      if (is_second) packed.insert(packed.begin(), plain.begin(), plain.end());
      test::Bytes out;
      const Result<void> done = decompress(Codec::gzip, packed, 1 << 20, out);
      REQUIRE_FALSE(done);
      CHECK(done.error().code() == Errc::unsupported_codec);
    }
  }
}
