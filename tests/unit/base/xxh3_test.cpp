#include "base/xxh3.hpp"

#include <doctest/doctest.h>

using namespace seriatim::base;

TEST_CASE("XXH3 with seed 0 gives the published values of empty input") {
  CHECK(xxh3_64({}) == 0x2D06800538D394C2);
  CHECK(xxh3_128({}) == Hash128{0x99AA06D3014798D8, 0x6001C324468D497F});
}

TEST_CASE("XXH3 tells inputs apart that differ in one bit or in trailing zeros") {
  std::string text(300, '\0');
  const std::uint64_t whole = xxh3_64(as_bytes(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = 1;
    REQUIRE(xxh3_64(as_bytes(text)) != whole);
    text[i] = 0;
  }
  CHECK(xxh3_64(as_bytes(std::string_view(text).substr(1))) != whole);
  CHECK(xxh3_128(as_bytes(std::string_view(text).substr(1))) != xxh3_128(as_bytes(text)));
}

TEST_CASE(
    "a stream gives what one call over the same bytes gives, wherever they are cut and whatever the seed") {
  std::string text(1000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7);
  Xxh3Stream stream;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    for (std::size_t cut = 0; cut <= text.size(); cut += 9) {
      stream.reset(seed);
      stream.update(as_bytes(std::string_view(text).substr(0, cut)));
      stream.update(as_bytes(std::string_view(text).substr(cut)));
      REQUIRE(stream.digest() == xxh3_64(as_bytes(text), seed));
    }
  }
  CHECK(xxh3_64(as_bytes(text), 0) == xxh3_64(as_bytes(text)));
  CHECK(xxh3_64(as_bytes(text), 1) != xxh3_64(as_bytes(text)));
}
