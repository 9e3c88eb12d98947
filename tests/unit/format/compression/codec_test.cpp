#include "format/compression/codec.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

constexpr std::array all_codecs{Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};
constexpr std::array real_codecs{Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

// Around the block sizes of the codecs and the steps in which the output grows.
constexpr std::array<std::size_t, 16> sizes{
    0, 1, 2, 61, 1000, 4095, 4096, 4097, 32'767, 32'768, 32'769, 65'535, 65'536, 65'537, 200'000, 1'000'003};

struct Level {
  Codec codec;
  int level;
};

// Bytes that compress about as records do: words from a small set, with random bytes in between.
test::Bytes mixed_bytes(test::Random& random, std::size_t size) {
  test::Bytes bytes;
  while (bytes.size() < size) {
    const test::Bytes piece = random.one_in(3)
                                  ? random.bytes(static_cast<std::size_t>(random.between(1, 40)))
                                  : test::Bytes(static_cast<std::size_t>(random.between(1, 200)),
                                                static_cast<std::byte>(random.between('a', 'e')));
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  bytes.resize(size);
  return bytes;
}

test::Bytes compressed(Codec codec, base::ByteSpan in, std::optional<int> level = {}) {
  test::Bytes out;
  REQUIRE(compress(codec, level, in, out));
  return out;
}

}  // namespace

TEST_CASE("bytes of any size come back through every codec, behind what the output held before") {
  test::Random random("codec: round trip");
  for (const Codec codec : all_codecs) {
    for (const std::size_t size : sizes) {
      CAPTURE(name(codec));
      CAPTURE(size);
      const test::Bytes in = mixed_bytes(random, size);
      test::Bytes packed{std::byte{1}, std::byte{2}};
      REQUIRE(compress(codec, {}, in, packed));
      REQUIRE(packed[0] == std::byte{1});
      REQUIRE(packed[1] == std::byte{2});
      test::Bytes out{std::byte{3}};
      REQUIRE(decompress(codec, base::ByteSpan(packed).subspan(2), size, out));
      REQUIRE(out.size() == size + 1);
      REQUIRE(out[0] == std::byte{3});
      REQUIRE(std::equal(in.begin(), in.end(), out.begin() + 1));
    }
  }
}

TEST_CASE("one byte less than the content is refused by every codec, and the output is as before") {
  test::Random random("codec: bound");
  for (const Codec codec : all_codecs) {
    for (const std::size_t size : {1U, 100U, 4096U, 70'000U, 300'000U}) {
      CAPTURE(name(codec));
      CAPTURE(size);
      const test::Bytes packed = compressed(codec, mixed_bytes(random, size));
      test::Bytes out{std::byte{3}};
      const Result<void> done = decompress(codec, packed, size - 1, out);
      REQUIRE_FALSE(done);
      CHECK(done.error().code() == Errc::corrupt_record);
      CHECK(done.error().message().find(std::to_string(size - 1)) != std::string::npos);
      CHECK(out.size() == 1);
      CHECK(decompress(codec, packed, size, out));
    }
  }
}

TEST_CASE("a bomb costs no more memory than allowed") {
  const test::Bytes zeros(64 * 1024 * 1024);
  for (const Codec codec : real_codecs) {
    CAPTURE(name(codec));
    const test::Bytes bomb = compressed(codec, zeros);
    test::Bytes out;
    const Result<void> done = decompress(codec, bomb, 1000, out);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::corrupt_record);
    CHECK(out.capacity() < 1024 * 1024);
  }
}

TEST_CASE("a section that is cut anywhere is refused") {
  test::Random random("codec: cut");
  const test::Bytes in = mixed_bytes(random, 3000);
  for (const Codec codec : real_codecs) {
    const test::Bytes packed = compressed(codec, in);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      // A snappy stream has no end mark: cut between two blocks it is a shorter stream.
      if (codec == Codec::snappy && size == 16) continue;
      CAPTURE(name(codec));
      CAPTURE(size);
      test::Bytes out;
      const Result<void> done = decompress(codec, base::ByteSpan(packed).first(size), 1 << 20, out);
      REQUIRE_FALSE(done);
      CHECK(done.error().code() == Errc::corrupt_record);
      CHECK(out.empty());
    }
  }
}

TEST_CASE("bytes after the end are refused") {
  test::Random random("codec: trailing bytes");
  const test::Bytes in = mixed_bytes(random, 3000);
  for (const Codec codec : real_codecs) {
    test::Bytes packed = compressed(codec, in);
    packed.insert(packed.end(), 5, std::byte{0x55});
    CAPTURE(name(codec));
    test::Bytes out;
    const Result<void> done = decompress(codec, packed, 1 << 20, out);
    REQUIRE_FALSE(done);
    CHECK(done.error().code() == Errc::corrupt_record);
  }
}

TEST_CASE("after damage the next section is read as if nothing had happened") {
  test::Random random("codec: state");
  for (const Codec codec : real_codecs) {
    const test::Bytes in = mixed_bytes(random, 100'000);
    const test::Bytes good = compressed(codec, in);
    for (int round = 0; round < 20; ++round) {
      test::Bytes bad = good;
      bad[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bad.size()) - 1))] ^=
          std::byte{0x10};
      test::Bytes out;
      const Result<void> maybe = decompress(codec, bad, 1 << 20, out);
      if (!maybe) CHECK(out.empty());
      out.clear();
      REQUIRE(decompress(codec, good, in.size(), out));
      REQUIRE(out == in);
    }
  }
}

TEST_CASE("levels are those of Kafka") {
  CHECK(check_level(Codec::gzip, -1));
  CHECK(check_level(Codec::gzip, 9));
  CHECK(check_level(Codec::lz4, 17));
  CHECK(check_level(Codec::zstd, -131'072));
  CHECK(check_level(Codec::zstd, 22));
  CHECK(check_level(Codec::none, 99));
  CHECK(check_level(Codec::snappy, 99));
  for (const Level& row : {Level{Codec::gzip, 0},
                           {Codec::gzip, 10},
                           {Codec::gzip, -2},
                           {Codec::lz4, 0},
                           {Codec::lz4, 18},
                           {Codec::zstd, 23},
                           {Codec::zstd, -131'073}}) {
    CAPTURE(row.level);
    const Result<void> refused = check_level(row.codec, row.level);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::invalid_config);
    CHECK(refused.error().message().find(std::string(name(row.codec))) != std::string::npos);
    test::Bytes out;
    CHECK_FALSE(compress(row.codec, row.level, {}, out));
  }
}

TEST_CASE("every level gives bytes that come back, and a level is not kept for the next call") {
  test::Random random("codec: levels");
  const test::Bytes in = mixed_bytes(random, 20'000);
  for (const Level& row : {Level{Codec::gzip, 1},
                           {Codec::gzip, 9},
                           {Codec::gzip, -1},
                           {Codec::lz4, 1},
                           {Codec::lz4, 9},
                           {Codec::lz4, 17},
                           {Codec::zstd, -5},
                           {Codec::zstd, 1},
                           {Codec::zstd, 19}}) {
    CAPTURE(name(row.codec));
    CAPTURE(row.level);
    const test::Bytes by_default = compressed(row.codec, in);
    const test::Bytes packed = compressed(row.codec, in, row.level);
    test::Bytes out;
    REQUIRE(decompress(row.codec, packed, in.size(), out));
    CHECK(out == in);
    CHECK(compressed(row.codec, in) == by_default);
  }
}

TEST_CASE("a codec that does not exist is named as such") {
  const auto codec = static_cast<Codec>(6);
  test::Bytes out;
  const Result<void> packed = compress(codec, {}, {}, out);
  REQUIRE_FALSE(packed);
  CHECK(packed.error().code() == Errc::unsupported_codec);
  const Result<void> unpacked = decompress(codec, {}, 10, out);
  REQUIRE_FALSE(unpacked);
  CHECK(unpacked.error().code() == Errc::unsupported_codec);
}
