#include <doctest/doctest.h>

#include "format/compression/codec.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

TEST_CASE("a zstd section is a frame") {
  test::Bytes out;
  REQUIRE(compress(Codec::zstd, {}, test::example_plain_section(), out));
  CHECK(test::to_hex(base::ByteSpan(out).first(4)) == "28 b5 2f fd");
}

TEST_CASE("concatenated zstd frames are read through") {
  const test::Bytes plain = test::example_plain_section();
  test::Bytes packed;
  REQUIRE(compress(Codec::zstd, {}, base::ByteSpan(plain).first(20), packed));
  REQUIRE(compress(Codec::zstd, 19, base::ByteSpan(plain).subspan(20), packed));
  test::Bytes out;
  REQUIRE(decompress(Codec::zstd, packed, plain.size(), out));
  CHECK(out == plain);
}

TEST_CASE("a zstd frame that claims more content than it has costs no memory for the claim") {
  // Magic, single segment with an 8-byte content size of 2^40, then one empty last block.
  const test::Bytes hostile = test::from_hex("28 b5 2f fd e0 00 00 00 00 00 01 00 00 01 00 00");
  test::Bytes out;
  const Result<void> done = decompress(Codec::zstd, hostile, std::size_t{1} << 41, out);
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::corrupt_record);
  CHECK(out.capacity() < 1024 * 1024);
}
