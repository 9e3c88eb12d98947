#include "format/journal/journal_payload.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "support/hex.hpp"
#include "unit/format/examples.hpp"

namespace seriatim::format {
namespace {

using test::counting_id;
using test::from_hex;
using test::to_hex;

JournalPlace example_place() { return {counting_id(), 3, 0x0102, 0x0100, 0x40}; }

constexpr std::string_view place_hex =
    "000102030405060708090a0b0c0d0e0f 03000000 0201000000000000 0001000000000000 4000000000000000";

JournalCommittedOffsets example_offsets() {
  return {"grp", 5, {{counting_id(), 3, 0x0102, -1, "m"}, {counting_id(), 4, -1, 0, ""}}};
}

constexpr std::string_view offsets_hex =
    "0500000000000000 02000000 0300 677270"
    "000102030405060708090a0b0c0d0e0f 03000000 0201000000000000 ffffffff 0100 6d"
    "000102030405060708090a0b0c0d0e0f 04000000 ffffffffffffffff 00000000 0000";

Errc code(const auto& result) { return result ? Errc{} : result.error().code(); }

TEST_CASE("the payloads have the bytes of docs/data_directory.md, and are read back") {
  std::array<std::byte, journal_place_bytes> place{};
  store_journal_place(place.data(), example_place());
  CHECK(to_hex(place) == to_hex(from_hex(place_hex)));
  const auto batch_bytes = from_hex(std::string(place_hex) + "aabb");
  const auto batch = parse_journal_batch(batch_bytes);
  REQUIRE(batch);
  CHECK(batch->place == example_place());
  CHECK(to_hex(batch->batch) == "aa bb");

  const JournalSyncedRange range{example_place(), 0x80};
  std::array<std::byte, journal_synced_range_bytes> range_bytes{};
  store_journal_synced_range(range_bytes.data(), range);
  CHECK(to_hex(range_bytes) == to_hex(from_hex(std::string(place_hex) + "8000000000000000")));
  CHECK(*parse_journal_synced_range(range_bytes) == range);

  const auto offsets = encode_journal_offsets(example_offsets());
  CHECK(to_hex(offsets) == to_hex(from_hex(offsets_hex)));
  CHECK(*parse_journal_offsets(offsets) == example_offsets());
}

TEST_CASE("the payload of a forgotten group is its name") {
  CHECK(*parse_journal_forgotten_group(base::as_bytes("group")) == JournalForgottenGroup{"group"});
  CHECK(code(parse_journal_forgotten_group({})) == Errc::corrupt_metadata);
}

TEST_CASE("a payload cut anywhere or with a byte too many is refused") {
  auto offsets = from_hex(offsets_hex);
  for (std::size_t size = 0; size < offsets.size(); ++size) {
    REQUIRE(code(parse_journal_offsets(base::ByteSpan(offsets).first(size))) == Errc::corrupt_metadata);
  }
  offsets.push_back(std::byte{0});
  CHECK(code(parse_journal_offsets(offsets)) == Errc::corrupt_metadata);
  const auto place = from_hex(place_hex);  // a batch of no bytes
  CHECK(code(parse_journal_batch(place)) == Errc::corrupt_metadata);
  CHECK(code(parse_journal_synced_range(place)) == Errc::corrupt_metadata);
}

TEST_CASE("fields outside their range are refused") {
  const auto batch_code = [](const JournalPlace& place) {
    std::array<std::byte, journal_place_bytes + 1> bytes{};
    store_journal_place(bytes.data(), place);
    return code(parse_journal_batch(bytes));
  };
  JournalPlace place = example_place();
  place.partition = -1;
  CHECK(batch_code(place) == Errc::corrupt_metadata);
  place = example_place();
  place.base_offset = place.segment_base_offset - 1;
  CHECK(batch_code(place) == Errc::corrupt_metadata);
  place = example_place();
  place.segment_base_offset = -1;
  CHECK(batch_code(place) == Errc::corrupt_metadata);
  place = example_place();
  place.position = std::uint64_t{1} << 63;
  CHECK(batch_code(place) == Errc::corrupt_metadata);
  CHECK(batch_code(example_place()) == Errc{});

  const auto range_code = [](std::uint64_t length) {
    std::array<std::byte, journal_synced_range_bytes> bytes{};
    store_journal_synced_range(bytes.data(), {example_place(), length});
    return code(parse_journal_synced_range(bytes));
  };
  CHECK(range_code(0) == Errc::corrupt_metadata);
  CHECK(range_code(std::numeric_limits<std::uint64_t>::max()) == Errc::corrupt_metadata);
  CHECK(range_code(1) == Errc{});

  const auto offsets_code = [](const JournalCommittedOffset& entry) {
    return code(parse_journal_offsets(encode_journal_offsets({"g", 1, {entry}})));
  };
  CHECK(offsets_code({counting_id(), -1, 0, -1, ""}) == Errc::corrupt_metadata);
  CHECK(offsets_code({counting_id(), 0, -2, -1, ""}) == Errc::corrupt_metadata);
  CHECK(offsets_code({counting_id(), 0, 0, -2, ""}) == Errc::corrupt_metadata);
  CHECK(offsets_code({counting_id(), 0, 0, 0, ""}) == Errc{});
}

TEST_CASE("a count that the bytes cannot hold is refused before anything is allocated for it") {
  auto bytes = from_hex(offsets_hex);
  base::store_le(bytes.data() + 8, std::numeric_limits<std::uint32_t>::max());
  CHECK(code(parse_journal_offsets(bytes)) == Errc::corrupt_metadata);
}

}  // namespace
}  // namespace seriatim::format
