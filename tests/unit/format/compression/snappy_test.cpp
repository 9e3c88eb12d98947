#include <string_view>

#include <doctest/doctest.h>

#include "format/compression/codec.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

constexpr std::string_view stream_header = "82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01";

Errc code_of(std::string_view hex) {
  test::Bytes out;
  const Result<void> done = decompress(Codec::snappy, test::from_hex(hex), 1 << 30, out);
  REQUIRE_FALSE(done);
  return done.error().code();
}

}  // namespace

TEST_CASE("a snappy section is a stream of blocks of 32 KiB") {
  test::Bytes out;
  REQUIRE(compress(Codec::snappy, {}, test::example_plain_section(), out));
  CHECK(test::to_hex(base::ByteSpan(out).first(16)) == stream_header);
  CHECK(base::load_be<std::int32_t>(out.data() + 16) == static_cast<std::int32_t>(out.size()) - 20);

  const test::Bytes large(100'000, std::byte{'x'});
  out.clear();
  REQUIRE(compress(Codec::snappy, {}, large, out));
  std::size_t blocks = 0;
  std::size_t at = 16;
  while (at < out.size()) {
    at += 4 + static_cast<std::size_t>(base::load_be<std::int32_t>(out.data() + at));
    ++blocks;
  }
  CHECK(at == out.size());
  CHECK(blocks == 4);
}

TEST_CASE("raw snappy without a stream header is read too") {
  test::Bytes packed;
  REQUIRE(compress(Codec::snappy, {}, test::example_plain_section(), packed));
  test::Bytes out;
  REQUIRE(decompress(Codec::snappy, base::ByteSpan(packed).subspan(20), 62, out));
  CHECK(out == test::example_plain_section());
}

TEST_CASE("concatenated snappy streams are read through") {
  const test::Bytes plain = test::example_plain_section();
  test::Bytes packed;
  REQUIRE(compress(Codec::snappy, {}, base::ByteSpan(plain).first(20), packed));
  REQUIRE(compress(Codec::snappy, {}, base::ByteSpan(plain).subspan(20), packed));
  test::Bytes out;
  REQUIRE(decompress(Codec::snappy, packed, plain.size(), out));
  CHECK(out == plain);
}

TEST_CASE("a snappy block that claims more than it can hold is refused before memory is set aside") {
  for (const std::string_view claim_of_512_mib :
       {"80 80 80 80 02 00",
        "82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00 00 06 80 80 80 80 02 00"}) {
    test::Bytes out;
    const Result<void> done = decompress(Codec::snappy, test::from_hex(claim_of_512_mib), 1 << 30, out);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::corrupt_record);
    CHECK(out.capacity() < 1024 * 1024);
  }
}

TEST_CASE("damaged snappy framing is refused") {
  CHECK(code_of("") == Errc::corrupt_record);
  CHECK(code_of("82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00") == Errc::corrupt_record);
  CHECK(code_of("82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 ff ff ff ff") == Errc::corrupt_record);
  CHECK(code_of("82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00 00 09 01") == Errc::corrupt_record);
  CHECK(code_of("82 53 4e 41 50 50 59 00 00 00 00 01 00 00 00 01 00 00 00 00") == Errc::corrupt_record);
}

TEST_CASE("a snappy stream of a later version is told from damage") {
  CHECK(code_of("82 53 4e 41 50 50 59 00 00 00 00 02 00 00 00 02") == Errc::unsupported_codec);
}
