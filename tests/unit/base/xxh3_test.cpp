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
