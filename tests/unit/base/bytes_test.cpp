#include "base/bytes.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "support/random.hpp"

using namespace seriatim::base;

namespace {

template <class T>
void check_round_trips(T value) {
  // One byte of offset, so that the access is not aligned.
  std::array<std::byte, 1 + sizeof(T)> buffer{};
  store_be(buffer.data() + 1, value);
  CHECK(load_be<T>(buffer.data() + 1) == value);
  store_le(buffer.data() + 1, value);
  CHECK(load_le<T>(buffer.data() + 1) == value);
}

}  // namespace

TEST_CASE("big-endian puts the most significant byte first, little-endian last") {
  std::array<std::byte, 4> buffer{};
  store_be<std::uint32_t>(buffer.data(), 0x01020304);
  CHECK(buffer == std::array{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
  store_le<std::uint32_t>(buffer.data(), 0x01020304);
  CHECK(buffer == std::array{std::byte{4}, std::byte{3}, std::byte{2}, std::byte{1}});
}

TEST_CASE("every width and sign survives storing and loading, unaligned too") {
  seriatim::test::Random random("bytes");
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t bits = random.next();
    check_round_trips(static_cast<std::int8_t>(bits));
    check_round_trips(static_cast<std::uint8_t>(bits));
    check_round_trips(static_cast<std::int16_t>(bits));
    check_round_trips(static_cast<std::uint16_t>(bits));
    check_round_trips(static_cast<std::int32_t>(bits));
    check_round_trips(static_cast<std::uint32_t>(bits));
    check_round_trips(static_cast<std::int64_t>(bits));
    check_round_trips(bits);
  }
  check_round_trips(std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("align_up gives the next multiple, and the value itself if it is one") {
  CHECK(align_up(0, 4096) == 0);
  CHECK(align_up(1, 4096) == 4096);
  CHECK(align_up(4096, 4096) == 4096);
  CHECK(align_up(4097, 4096) == 8192);
}

TEST_CASE("text and bytes are views of the same memory") {
  const std::string_view text = "abc";
  CHECK(as_bytes(text).size() == 3);
  CHECK(as_text(as_bytes(text)).data() == text.data());
}
