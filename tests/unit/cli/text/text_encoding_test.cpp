#include "text/text_encoding.hpp"

#include <random>
#include <string>

#include <doctest/doctest.h>

namespace seriatim::cli {
namespace {

TEST_CASE("only well-formed UTF-8 is UTF-8") {
  for (const char* const right : {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                  "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(base64(right));
    CHECK(is_utf8(right));
  }
  // Overlong forms, surrogates, beyond U+10FFFF, lone tails, cut sequences.
  for (const char* const wrong :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc2", "\xe2\x82", "\xf0\x9f\x92", "\xc2\x41"}) {
    CAPTURE(base64(wrong));
    CHECK_FALSE(is_utf8(wrong));
  }
  CHECK(is_utf8(std::string("\0", 1)));
}

TEST_CASE("Base64 has the vectors of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("Base64 of any bytes decodes to them") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    CHECK(from_base64(base64(bytes)) == bytes);
  }
}

TEST_CASE("what is not padded Base64 is refused") {
  for (const char* const wrong :
       {"A", "AA", "AAA", "A===", "====", "AA=A", "AAAA=", "A A=", "AA\n=", "Zg==Zg==", "Zg-_"}) {
    CAPTURE(wrong);
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}

TEST_CASE("a message keeps its lines, and no name in it can drive the terminal") {
  CHECK(printable_lines("") == "");
  CHECK(printable_lines("one\n  t\x1b[2J\n\n\xff\n") == "one\n  t\\x1b[2J\n\n\\xff\n");
}

TEST_CASE("a stored record cannot drive the terminal") {
  CHECK(printable("plain \xc3\xa9") == "plain \xc3\xa9");
  CHECK(printable("\x1b[2J") == "\\x1b[2J");
  CHECK(printable("a\nb\x7f") == "a\\x0ab\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");
  CHECK(printable("\xff") == "\\xff");
}

}  // namespace
}  // namespace seriatim::cli
