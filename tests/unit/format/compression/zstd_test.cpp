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

TEST_CASE("a zstd frame that is right and cannot be read is told from damage") {
  // Window descriptor of 256 MiB; a dictionary with the id 7; the reserved bit. Each with one block, "a".
  for (const std::string_view frame : {"28 b5 2f fd 00 90 09 00 00 61", "28 b5 2f fd 21 07 01 09 00 00 61",
                                       "28 b5 2f fd 28 01 09 00 00 61"}) {
    CAPTURE(frame);
    test::Bytes out{std::byte{1}};
    const Result<void> done = decompress(Codec::zstd, test::from_hex(frame), 1 << 20, out);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::unsupported_codec);
    CHECK(out.size() == 1);
  }
  // The largest window that is read.
  test::Bytes out;
  CHECK(decompress(Codec::zstd, test::from_hex("28 b5 2f fd 00 88 09 00 00 61"), 1 << 20, out));
  CHECK(test::to_hex(out) == "61");
}
