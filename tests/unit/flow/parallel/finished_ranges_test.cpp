// The finished ranges that are kept with a commit: as text and back, and text of others.
#include "flow/parallel/finished_ranges.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace seriatim::test {
namespace {

using detail::decode_finished;
using detail::encode_finished;
using detail::FinishedRanges;

FinishedRanges some_ranges() {
  return {.ranges = {{11, 12}, {20, 1'000'000}, {1'000'001, 1'000'050}},
          .mark = {.offset = 1'000'049, .fingerprint = 0xFEDCBA9876543210U}};
}

}  // namespace

TEST_CASE("finished ranges come back from the metadata of their commit") {
  const FinishedRanges ranges = some_ranges();
  const std::string text = encode_finished(10, ranges);
  CHECK(text == "seriatim-parallel/1 Knzwewwsol7hz6l39PBBIsxweBxB");
  CHECK(decode_finished({.offset = 10, .metadata = text}) == ranges);
  constexpr Offset last = std::numeric_limits<Offset>::max();
  const FinishedRanges far{.ranges = {{1, last}}, .mark = {.offset = last - 1, .fingerprint = 0}};
  CHECK(decode_finished({.offset = 0, .metadata = encode_finished(0, far)}) == far);
}

TEST_CASE("a commit without finished ranges has no metadata") {
  CHECK(encode_finished(10, {}).empty());
  CHECK(decode_finished({.offset = 10}) == FinishedRanges());
}

TEST_CASE("ranges of another position, of a later version and of other programs are ignored") {
  const std::string text = encode_finished(10, some_ranges());
  CHECK(decode_finished({.offset = 9, .metadata = text}) == FinishedRanges());
  CHECK(decode_finished({.offset = 11, .metadata = text}) == FinishedRanges());
  std::string later = text;
  later[later.find('1')] = '2';
  CHECK(decode_finished({.offset = 10, .metadata = later}) == FinishedRanges());
  CHECK(decode_finished({.offset = 10, .metadata = "node-7"}) == FinishedRanges());
}

TEST_CASE("whatever is cut off or changed, no range appears that was not there") {
  const FinishedRanges whole = some_ranges();
  const std::string text = encode_finished(10, whole);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const FinishedRanges cut = decode_finished({.offset = 10, .metadata = text.substr(0, size)});
    REQUIRE(cut.ranges.size() < whole.ranges.size());
    for (std::size_t i = 0; i < cut.ranges.size(); ++i) CHECK(cut.ranges[i] == whole.ranges[i]);
  }
  CHECK(decode_finished({.offset = 10, .metadata = text + " "}) == FinishedRanges());
  CHECK(decode_finished({.offset = 10, .metadata = text + "A"}) == FinishedRanges());
  // A number that goes on beyond 64 bits, and a range beyond the mark.
  CHECK(decode_finished({.offset = 10, .metadata = "seriatim-parallel/1 K" + std::string(40, '_')}) ==
        FinishedRanges());
  CHECK(decode_finished({.offset = 10, .metadata = "seriatim-parallel/1 KFABH"}) == FinishedRanges());
}

TEST_CASE("of ranges that do not fit the later ones are left out") {
  FinishedRanges many{.mark = {.offset = 100'000}};
  for (Offset offset = 2; offset < 20'000; offset += 2) many.ranges.push_back({offset, offset + 1});
  const std::string text = encode_finished(0, many);
  CHECK(text.size() <= detail::finished_bytes_max);
  CHECK(text.size() > detail::finished_bytes_max - 10);
  const FinishedRanges kept = decode_finished({.offset = 0, .metadata = text});
  CHECK(kept.mark == many.mark);
  REQUIRE(kept.ranges.size() > 1'900);
  many.ranges.resize(kept.ranges.size());
  CHECK(kept.ranges == many.ranges);
  CHECK(encode_finished(0, many, 25).empty());
}

TEST_CASE("a position that meets a finished range goes on behind it") {
  FinishedRanges ranges{.ranges = {{5, 7}, {7, 9}, {12, 20}}, .mark = {.offset = 19}};
  CHECK(join_position(4, ranges) == 4);
  CHECK(ranges.ranges.size() == 3);
  CHECK(join_position(6, ranges) == 9);
  REQUIRE(ranges.ranges.size() == 1);
  CHECK(ranges.ranges[0] == detail::OffsetRange{12, 20});
}

}  // namespace seriatim::test
