#include "format/varint.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include <doctest/doctest.h>

#include "support/hex.hpp"

using namespace seriatim;
using namespace seriatim::format;

namespace {

struct Int32Row {
  std::int32_t value;
  std::string_view hex;
};
constexpr std::array int32_rows{
    Int32Row{0, "00"},
    Int32Row{-1, "01"},
    Int32Row{1, "02"},
    Int32Row{-2, "03"},
    Int32Row{63, "7e"},
    Int32Row{-64, "7f"},
    Int32Row{64, "80 01"},
    Int32Row{-65, "81 01"},
    Int32Row{8191, "fe 7f"},
    Int32Row{8192, "80 80 01"},
    Int32Row{2147483647, "fe ff ff ff 0f"},
    Int32Row{std::numeric_limits<std::int32_t>::min(), "ff ff ff ff 0f"},
};

struct Int64Row {
  std::int64_t value;
  std::string_view hex;
};
constexpr std::array int64_rows{
    Int64Row{1'700'000'000'000, "80 a0 ab fe f9 62"},
    Int64Row{-86'400'003, "85 f0 b2 52"},
    Int64Row{std::numeric_limits<std::int64_t>::max(), "fe ff ff ff ff ff ff ff ff 01"},
    Int64Row{std::numeric_limits<std::int64_t>::min(), "ff ff ff ff ff ff ff ff ff 01"},
};

}  // namespace

TEST_CASE("a varint is encoded and decoded as in Kafka's table") {
  for (const Int32Row& row : int32_rows) {
    CAPTURE(row.value);
    std::array<std::byte, varint_bytes_max> bytes{};
    const std::byte* end = encode_varint(bytes.data(), row.value);
    const auto size = static_cast<std::size_t>(end - bytes.data());
    CHECK(test::to_hex({bytes.data(), size}) == row.hex);
    CHECK(varint_size(row.value) == size);
    std::int32_t decoded = 77;
    CHECK(decode_varint(bytes.data(), end, decoded) == end);
    CHECK(decoded == row.value);
  }
}

TEST_CASE("a varlong is encoded and decoded as in Kafka's table") {
  for (const Int64Row& row : int64_rows) {
    CAPTURE(row.value);
    std::array<std::byte, varlong_bytes_max> bytes{};
    const std::byte* end = encode_varlong(bytes.data(), row.value);
    const auto size = static_cast<std::size_t>(end - bytes.data());
    CHECK(test::to_hex({bytes.data(), size}) == row.hex);
    CHECK(varlong_size(row.value) == size);
    std::int64_t decoded = 77;
    CHECK(decode_varlong(bytes.data(), end, decoded) == end);
    CHECK(decoded == row.value);
  }
}

TEST_CASE("the size of a varint is exact on both sides of every power of two") {
  for (int bit = 0; bit < 63; ++bit) {
    for (const std::int64_t step : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << bit) + step;
      for (const std::int64_t sign : {-1, 1}) {
        CAPTURE(value * sign);
        std::array<std::byte, varlong_bytes_max> bytes{};
        const auto long_size =
            static_cast<std::size_t>(encode_varlong(bytes.data(), value * sign) - bytes.data());
        CHECK(varlong_size(value * sign) == long_size);
        if (bit > 30) continue;
        const auto narrow = static_cast<std::int32_t>(value * sign);
        const auto size = static_cast<std::size_t>(encode_varint(bytes.data(), narrow) - bytes.data());
        CHECK(varint_size(narrow) == size);
      }
    }
  }
}

TEST_CASE("a varint that is cut short is refused and leaves the output alone") {
  for (const Int32Row& row : int32_rows) {
    const auto bytes = test::from_hex(row.hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::int32_t out = 77;
      CHECK(decode_varint(bytes.data(), bytes.data() + size, out) == nullptr);
      CHECK(out == 77);
    }
  }
  for (const Int64Row& row : int64_rows) {
    const auto bytes = test::from_hex(row.hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::int64_t out = 77;
      CHECK(decode_varlong(bytes.data(), bytes.data() + size, out) == nullptr);
      CHECK(out == 77);
    }
  }
}

TEST_CASE("a varint longer than its integer can need is refused") {
  const auto six = test::from_hex("80 80 80 80 80 00");
  std::int32_t narrow = 77;
  CHECK(decode_varint(six.data(), six.data() + six.size(), narrow) == nullptr);
  CHECK(narrow == 77);
  const auto eleven = test::from_hex("80 80 80 80 80 80 80 80 80 80 00");
  std::int64_t wide = 77;
  CHECK(decode_varlong(eleven.data(), eleven.data() + eleven.size(), wide) == nullptr);
  CHECK(wide == 77);
}

TEST_CASE("a varint padded to its longest form is read as Kafka reads it") {
  const auto padded = test::from_hex("82 80 80 80 00");
  std::int32_t value = 0;
  CHECK(decode_varint(padded.data(), padded.data() + padded.size(), value) == padded.data() + padded.size());
  CHECK(value == 1);
}
