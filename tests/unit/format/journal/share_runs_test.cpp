#include "format/journal/share_runs.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/hex.hpp"

namespace seriatim::format {
namespace {

constexpr Offset offset_max = std::numeric_limits<Offset>::max();

// Of docs/data_directory.md.
constexpr std::string_view runs_hex = "02000000 8404 08 01 02 02 00 00 04";
std::vector<ShareRun> example_runs() { return {{{258, 262}, 1, 1}, {{264, 264}, 0, 2}}; }

Errc runs_code(std::string_view hex) {
  const auto bytes = test::from_hex(hex);
  base::ByteSpan from(bytes);
  const auto taken = take_share_runs(from);
  return taken ? Errc{} : taken.error().code();
}

Errc share_offsets_code(std::string_view hex) {
  const auto bytes = test::from_hex(hex);
  base::ByteSpan from(bytes);
  const auto taken = take_share_offsets(from);
  return taken ? Errc{} : taken.error().code();
}

TEST_CASE("runs have the bytes of docs/data_directory.md, and are read back up to their end") {
  std::vector<std::byte> bytes{std::byte{7}};
  append_share_runs(bytes, example_runs());
  CHECK(test::to_hex(bytes) == test::to_hex(test::from_hex("07" + std::string(runs_hex))));
  bytes.push_back(std::byte{9});
  base::ByteSpan from = base::ByteSpan(bytes).subspan(1);
  CHECK(take_share_runs(from).value() == example_runs());
  CHECK(test::to_hex(from) == "09");
}

TEST_CASE("runs of offsets alone are read back, from the first offset to the last but one") {
  const std::vector<ShareOffsets> runs{{0, 0}, {1, 70}, {100, offset_max - 1}};
  std::vector<std::byte> bytes;
  append_share_offsets(bytes, runs);
  base::ByteSpan from(bytes);
  CHECK(take_share_offsets(from).value() == runs);
  CHECK(from.empty());
}

TEST_CASE("runs cut anywhere are refused") {
  const auto runs = test::from_hex(runs_hex);
  for (std::size_t size = 0; size < runs.size(); ++size) {
    base::ByteSpan from = base::ByteSpan(runs).first(size);
    CHECK_FALSE(take_share_runs(from).ok());
  }
  const auto offsets = test::from_hex("02000000 8404 08 02 00");
  for (std::size_t size = 0; size < offsets.size(); ++size) {
    base::ByteSpan from = base::ByteSpan(offsets).first(size);
    CHECK_FALSE(take_share_offsets(from).ok());
  }
}

TEST_CASE("states that are never stored, and counts and offsets outside their range, are refused") {
  CHECK(runs_code("01000000 00 00 02 00") == Errc{});
  CHECK(runs_code("01000000 00 00 04 00") == Errc{});
  CHECK(runs_code("01000000 00 00 03 00") == Errc::corrupt_metadata);
  CHECK(runs_code("01000000 00 00 05 00") == Errc::corrupt_metadata);
  CHECK(runs_code("01000000 00 00 00 feff03") == Errc{});
  CHECK(runs_code("01000000 00 00 00 808004") == Errc::corrupt_metadata);  // 32768 deliveries
  CHECK(runs_code("01000000 00 00 00 01") == Errc::corrupt_metadata);      // -1
  CHECK(runs_code("01000000 01 00 00 00") == Errc::corrupt_metadata);
  CHECK(runs_code("01000000 00 01 00 00") == Errc::corrupt_metadata);
  // 2^63 - 2 is the last offset of a record.
  CHECK(share_offsets_code("01000000 fcffffffffffffffff01 00") == Errc{});
  CHECK(share_offsets_code("01000000 feffffffffffffffff01 00") == Errc::corrupt_metadata);
  CHECK(share_offsets_code("01000000 fcffffffffffffffff01 02") == Errc::corrupt_metadata);
  CHECK(share_offsets_code("02000000 fcffffffffffffffff01 00 00 00") == Errc::corrupt_metadata);
}

TEST_CASE("a number that is longer than it has to be is refused") {
  CHECK(share_offsets_code("01000000 8000 00") == Errc::corrupt_metadata);
  CHECK(share_offsets_code("01000000 fcffffffffffffffff03 00") == Errc::corrupt_metadata);
}

TEST_CASE("a number of runs that the bytes cannot hold is refused before anything is allocated for it") {
  CHECK(runs_code("ffffffff 00 00 00 00") == Errc::corrupt_metadata);
  CHECK(share_offsets_code("ffffffff 00 00 00 00") == Errc::corrupt_metadata);
}

}  // namespace
}  // namespace seriatim::format
