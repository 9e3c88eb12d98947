#include <algorithm>

#include <doctest/doctest.h>

#include "format/compression/codec.hpp"
#include "support/random.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

constexpr std::size_t block_bytes = 64 * 1024;
constexpr std::size_t frame_header_bytes = 7;

}  // namespace

TEST_CASE("an lz4 frame has the header that Kafka writes, whatever the size and level") {
  for (const std::size_t size : {62U, 65'536U, 65'537U, 400'000U}) {
    for (const std::optional<int> level :
         {std::optional<int>(), std::optional<int>(1), std::optional<int>(9), std::optional<int>(17)}) {
      CAPTURE(size);
      test::Bytes out;
      REQUIRE(compress(Codec::lz4, level, test::Bytes(size, std::byte{'x'}), out));
      CHECK(test::to_hex(base::ByteSpan(out).first(frame_header_bytes)) == "04 22 4d 18 60 40 82");
      CHECK(test::to_hex(base::ByteSpan(out).last(4)) == "00 00 00 00");
    }
  }
}

TEST_CASE("blocks of an lz4 frame over 64 KiB do not refer to each other") {
  // Every block has the same random content: linked blocks would copy it from the one before and be tiny.
  test::Random random("lz4: independent blocks");
  const test::Bytes block = random.bytes(block_bytes);
  test::Bytes in;
  for (int i = 0; i < 4; ++i) in.insert(in.end(), block.begin(), block.end());
  test::Bytes out;
  REQUIRE(compress(Codec::lz4, {}, in, out));
  std::size_t at = frame_header_bytes;
  std::size_t blocks = 0;
  while (at + 4 < out.size()) {
    const std::uint32_t size = base::load_le<std::uint32_t>(out.data() + at) & 0x7FFF'FFFFU;
    CHECK(size >= block_bytes / 2);
    CHECK(size <= block_bytes);
    at += 4 + size;
    ++blocks;
  }
  CHECK(blocks == 4);
  CHECK(at + 4 == out.size());

  // Each block stands for itself: the frame header, any one of them and the end mark are a frame again.
  test::Bytes single(out.begin(), out.begin() + frame_header_bytes);
  single.insert(single.end(), out.end() - static_cast<std::ptrdiff_t>(4 + (at - frame_header_bytes) / 4),
                out.end());
  test::Bytes back;
  REQUIRE(decompress(Codec::lz4, single, block_bytes, back));
  CHECK(back == block);
}

TEST_CASE("a second lz4 frame is refused, as by Kafka") {
  test::Bytes packed;
  REQUIRE(compress(Codec::lz4, {}, test::example_plain_section(), packed));
  REQUIRE(compress(Codec::lz4, {}, test::example_plain_section(), packed));
  test::Bytes out;
  const Result<void> done = decompress(Codec::lz4, packed, 1000, out);
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == Errc::corrupt_record);
}

TEST_CASE("an lz4 frame with a damaged header is refused") {
  test::Bytes packed;
  REQUIRE(compress(Codec::lz4, {}, test::example_plain_section(), packed));
  for (std::size_t at = 0; at < frame_header_bytes; ++at) {
    test::Bytes bad = packed;
    bad[at] ^= std::byte{0x01};
    test::Bytes out;
    CAPTURE(at);
    CHECK_FALSE(decompress(Codec::lz4, bad, 1000, out));
  }
}

TEST_CASE("an lz4 frame that is of another version or wants a dictionary is told from damage") {
  test::Bytes packed;
  REQUIRE(compress(Codec::lz4, {}, test::example_plain_section(), packed));
  struct Feature {
    std::size_t at;
    std::byte bits;
  };
  // The version, a reserved bit, a dictionary; a reserved bit beside the block size.
  for (const Feature feature : {Feature{4, std::byte{0xC0}}, Feature{4, std::byte{0x02}},
                                Feature{4, std::byte{0x01}}, Feature{5, std::byte{0x80}}}) {
    CAPTURE(feature.at);
    test::Bytes other = packed;
    other[feature.at] ^= feature.bits;
    test::Bytes out;
    const Result<void> done = decompress(Codec::lz4, other, 1000, out);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::unsupported_codec);
  }
}
