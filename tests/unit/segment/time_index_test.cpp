#include "segment/time_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::TimeIndex;
using segment::TimestampOffset;

namespace {

constexpr Offset index_base = 1000;

struct TimeIndexFixture : test::SegmentFixture {
  TimeIndex index{index_base, test::must(segment::IndexFile::open_active(
                                  context, directory + "/index", {TimeIndex::entry_bytes, 120, true}, 0))};
};

}  // namespace

TEST_CASE("an empty time index answers with no timestamp and the base offset") {
  TimeIndexFixture f;
  CHECK(f.index.count_below(99) == 0);
  CHECK_FALSE(f.index.last());
  CHECK(f.index.sane_prefix() == 0);
}

TEST_CASE("an entry whose timestamp is not above the last one's is left out silently") {
  TimeIndexFixture f;
  test::must(f.index.maybe_append({-1, index_base}));
  CHECK(f.index.count() == 0);
  test::must(f.index.maybe_append({50, index_base + 1}));
  test::must(f.index.maybe_append({50, index_base + 2}));
  test::must(f.index.maybe_append({40, index_base + 3}));
  CHECK(f.index.count() == 1);
  test::must(f.index.maybe_append({51, index_base + 3}));
  CHECK(*f.index.last() == TimestampOffset{51, index_base + 3});
  CHECK(f.index.sane_prefix() == 2);
}

TEST_CASE("behind an entry whose offset is wrong no entry follows that would go back") {
  TimeIndexFixture f;
  test::must(f.index.maybe_append({50, index_base + 900}));  // as a flipped bit of the file makes it
  test::must(f.index.maybe_append({60, index_base + 3}));
  CHECK(f.index.count() == 1);
}

TEST_CASE("the entries below a timestamp are counted, for every target") {
  TimeIndexFixture f;
  for (int i = 1; i <= 9; ++i) test::must(f.index.maybe_append({i * 10, index_base + i}));
  for (int target = -5; target < 120; ++target)
    CHECK(f.index.count_below(target) == static_cast<std::uint64_t>(std::clamp((target - 1) / 10, 0, 9)));
}

TEST_CASE("one slot stays in reserve for the closing entry") {
  TimeIndexFixture f;  // room for ten
  for (int i = 1; i <= 9; ++i) {
    CHECK_FALSE(f.index.is_full());
    test::must(f.index.maybe_append({i, index_base + i}));
  }
  CHECK(f.index.is_full());
  CHECK_FALSE(f.index.file().is_full());
  test::must(f.index.maybe_append({10, index_base + 10}));
  CHECK(f.index.count() == 10);
}

TEST_CASE("what is staged is not seen before it is committed") {
  TimeIndexFixture f;
  CHECK(test::must(f.index.stage({5, index_base})));
  CHECK_FALSE(f.index.last());
  f.index.commit();
  CHECK(*f.index.last() == TimestampOffset{5, index_base});
  CHECK_FALSE(test::must(f.index.stage({5, index_base + 1})));
}
