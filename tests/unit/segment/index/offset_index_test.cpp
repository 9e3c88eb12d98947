#include "segment/index/offset_index.hpp"

#include <doctest/doctest.h>

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::OffsetIndex;
using segment::OffsetPosition;

namespace {

constexpr Offset base_offset = 1000;

struct OffsetIndexFixture : test::SegmentFixture {
  OffsetIndex index{base_offset,
                    test::must(segment::IndexFile::open_active(context, directory + "/index",
                                                               {OffsetIndex::entry_bytes, 800, true}, 0))};
};

}  // namespace

TEST_CASE("an empty offset index points at the beginning") {
  OffsetIndexFixture f;
  CHECK(f.index.floor(2000) == OffsetPosition{base_offset, 0});
  CHECK(f.index.floor_position(2000) == OffsetPosition{base_offset, 0});
  CHECK_FALSE(f.index.last());
  CHECK(f.index.sane_prefix(100) == 0);
}

TEST_CASE("floor finds the greatest entry at or below, for every target") {
  OffsetIndexFixture f;
  for (int i = 1; i <= 50; ++i)
    test::must(f.index.append(base_offset + i * 10, static_cast<std::uint64_t>(i) * 5000));
  for (int target = 0; target < 520; ++target) {
    const int entry = std::min(target / 10, 50);
    const auto expected =
        entry == 0 ? OffsetPosition{base_offset, 0}
                   : OffsetPosition{base_offset + entry * 10, static_cast<std::uint64_t>(entry) * 5000};
    CHECK(f.index.floor(base_offset + target) == expected);
    CHECK(f.index.floor_position(static_cast<std::uint64_t>(target) * 500) == expected);
  }
  CHECK(f.index.floor(0) == OffsetPosition{base_offset, 0});
  CHECK(*f.index.last() == OffsetPosition{base_offset + 500, 250'000});
}

TEST_CASE("the offset index is full at its limit in whole entries") {
  OffsetIndexFixture f;
  for (int i = 1; i <= 100; ++i) {
    CHECK_FALSE(f.index.is_full());
    test::must(f.index.append(base_offset + i, static_cast<std::uint64_t>(i)));
  }
  CHECK(f.index.is_full());
}

TEST_CASE("entries are Kafka's bytes: offset above the base, then position, big-endian") {
  OffsetIndexFixture f;
  test::must(f.index.append(base_offset + 3, 4716));
  const auto bytes = test::read_file(f.index.file().path());
  CHECK(base::load_be<std::uint64_t>(bytes.data()) == 0x00000003'0000126c);
}

TEST_CASE("the sane prefix ends where entries reach beyond the log") {
  OffsetIndexFixture f;
  for (int i = 1; i <= 10; ++i)
    test::must(f.index.append(base_offset + i, static_cast<std::uint64_t>(i) * 100));
  CHECK(f.index.sane_prefix(10'000) == 10);
  CHECK(f.index.sane_prefix(1000) == 9);
}
