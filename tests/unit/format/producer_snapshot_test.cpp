#include "format/producer_snapshot.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "base/crc32c.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

namespace {

// The state after the log of the worked example: A's last batch is at 12, B's at 7; both ended by markers.
const std::array<ProducerSnapshotEntry, 2> example_entries{
    ProducerSnapshotEntry{test::example_producer_id, 1, 0, 12, 0, T + 13, 0, -1},
    ProducerSnapshotEntry{test::example_producer_id + 1, 0, 3, 7, 0, T + 11, 0, -1}};

test::Bytes example_file() {
  return test::from_hex(
      "0001 54be20a9 00000002"
      "0000040000000000 0001 00000000 000000000000000c 00000000 0000018bcfe5680d 00000000 ffffffffffffffff"
      "0000040000000001 0000 00000003 0000000000000007 00000000 0000018bcfe5680b 00000000 ffffffffffffffff");
}

void seal(test::Bytes& file) {
  base::store_be(file.data() + 2, base::crc32c(base::ByteSpan(file).subspan(6)));
}

Errc code_of(const test::Bytes& file) {
  const auto parsed = parse_producer_snapshot(file);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message().find("snapshot") != std::string::npos);
  return parsed.error().code();
}

Errc code_of(ProducerSnapshotEntry entry) {
  return code_of(encode_producer_snapshot(std::span<const ProducerSnapshotEntry>(&entry, 1)));
}

}  // namespace

TEST_CASE("the snapshot that Kafka writes is written and read") {
  CHECK(test::to_hex(encode_producer_snapshot(example_entries)) == test::to_hex(example_file()));
  const auto parsed = parse_producer_snapshot(example_file());
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 2);
  CHECK((*parsed)[0] == example_entries[0]);
  CHECK((*parsed)[1] == example_entries[1]);
}

TEST_CASE("an empty snapshot is Kafka's ten bytes") {
  CHECK(test::to_hex(encode_producer_snapshot({})) == "00 01 48 67 4b c7 00 00 00 00");
  const auto parsed = parse_producer_snapshot(encode_producer_snapshot({}));
  REQUIRE(parsed);
  CHECK(parsed->empty());
}

TEST_CASE("any flipped bit and any other length is noticed") {
  const test::Bytes good = example_file();
  for (std::size_t at = 2; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      test::Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      CAPTURE(at);
      CHECK(code_of(bad) == Errc::corrupt_metadata);
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(code_of(test::Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))) ==
          Errc::corrupt_metadata);
  }
  test::Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK(code_of(longer) == Errc::corrupt_metadata);
}

TEST_CASE("a count that does not fit the length is noticed, also with a checksum that fits") {
  for (const std::int32_t count : {-1, 1, 3, 0x7FFF'FFFF}) {
    test::Bytes file = example_file();
    base::store_be(file.data() + 6, count);
    seal(file);
    CHECK(code_of(file) == Errc::corrupt_metadata);
  }
}

TEST_CASE("a newer version is refused as such, never as damage") {
  test::Bytes file = example_file();
  base::store_be(file.data(), std::int16_t{2});
  CHECK(code_of(file) == Errc::unsupported_version);
  base::store_be(file.data(), std::int16_t{0});
  CHECK(code_of(file) == Errc::corrupt_metadata);
}

TEST_CASE("fields that contradict each other are refused, also with a checksum that fits") {
  CHECK(code_of({-1, 0, 0, 0, 0, T, 0, -1}) == Errc::corrupt_metadata);
  CHECK(code_of({1, -2, 0, 0, 0, T, 0, -1}) == Errc::corrupt_metadata);
  CHECK(code_of({1, 0, -2, 0, 0, T, 0, -1}) == Errc::corrupt_metadata);
  CHECK(code_of({1, 0, 0, -2, 0, T, 0, -1}) == Errc::corrupt_metadata);
  CHECK(code_of({1, 0, 0, 5, 6, T, 0, -1}) == Errc::corrupt_metadata);
  CHECK(code_of({1, 0, 0, 5, -1, T, 0, -1}) == Errc::corrupt_metadata);
  CHECK(code_of({1, 0, 0, 5, 0, T, 0, -2}) == Errc::corrupt_metadata);
}

TEST_CASE("a producer known only by a marker, and one with an open transaction, survive") {
  const std::array<ProducerSnapshotEntry, 2> entries{ProducerSnapshotEntry{1, 4, -1, -1, 0, T, 0, -1},
                                                     ProducerSnapshotEntry{2, 0, 5, 50, 3, T, -1, 42}};
  const auto parsed = parse_producer_snapshot(encode_producer_snapshot(entries));
  REQUIRE(parsed);
  CHECK((*parsed)[0] == entries[0]);
  CHECK((*parsed)[1] == entries[1]);
}
