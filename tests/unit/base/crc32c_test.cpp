#include "base/crc32c.hpp"

#include <doctest/doctest.h>

#include <array>

#include "support/random.hpp"

using namespace seriatim::base;

namespace {

// The definition, bit by bit.
std::uint32_t crc32c_by_definition(ByteSpan bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("CRC-32C gives the published values of RFC 3720") {
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283);
  CHECK(crc32c({}) == 0);
  std::array<std::byte, 32> bytes{};
  CHECK(crc32c(bytes) == 0x8A9136AA);
  bytes.fill(std::byte{0xFF});
  CHECK(crc32c(bytes) == 0x62A8AB43);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  CHECK(crc32c(bytes) == 0x46DD794E);
}

TEST_CASE("CRC-32C follows its definition at every length and alignment") {
  seriatim::test::Random random("crc32c");
  const std::vector<std::byte> bytes = random.bytes(1100);
  for (std::size_t length = 0; length < 1000; length = length * 3 / 2 + 1) {
    for (std::size_t start = 0; start < 17; ++start) {
      const ByteSpan part = ByteSpan(bytes).subspan(start, length);
      REQUIRE(crc32c(part) == crc32c_by_definition(part));
    }
  }
}

TEST_CASE("extending a CRC equals the CRC of the whole") {
  seriatim::test::Random random("crc32c_extend");
  const std::vector<std::byte> bytes = random.bytes(500);
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 7) {
    const std::uint32_t first = crc32c(ByteSpan(bytes).first(cut));
    REQUIRE(crc32c_extend(first, ByteSpan(bytes).subspan(cut)) == crc32c(bytes));
  }
}

TEST_CASE("appending a CRC that is known equals the CRC of the whole, at every length") {
  seriatim::test::Random random("crc32c_append");
  const std::vector<std::byte> bytes = random.bytes(700);
  for (std::size_t length = 0; length <= 600; ++length) {
    const ByteSpan first = ByteSpan(bytes).first(40 + length % 7);
    const ByteSpan second = ByteSpan(bytes).subspan(first.size(), length);
    REQUIRE(crc32c_append(crc32c(first), crc32c(second), second) ==
            crc32c_by_definition(ByteSpan(bytes).first(first.size() + length)));
  }
}
