#include "segment/index/time_index.hpp"

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

  // As a batch is noted: the entry, or none where its timestamp is not above the last one's.
  void note(TimestampOffset entry) {
    if (test::must(index.stage(entry))) index.commit();
  }
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
  f.note({-1, index_base});
  CHECK(f.index.count() == 0);
  f.note({50, index_base + 1});
  f.note({50, index_base + 2});
  f.note({40, index_base + 3});
  CHECK(f.index.count() == 1);
  f.note({51, index_base + 3});
  CHECK(*f.index.last() == TimestampOffset{51, index_base + 3});
  CHECK(f.index.sane_prefix() == 2);
}

TEST_CASE("behind an entry whose offset is wrong no entry follows that would go back") {
  TimeIndexFixture f;
  f.note({50, index_base + 900});  // as a flipped bit of the file makes it
  f.note({60, index_base + 3});
  CHECK(f.index.count() == 1);
}

TEST_CASE("the entries below a timestamp are counted, for every target") {
  TimeIndexFixture f;
  for (int i = 1; i <= 9; ++i) f.note({i * 10, index_base + i});
  for (int target = -5; target < 120; ++target)
    CHECK(f.index.count_below(target) == static_cast<std::uint64_t>(std::clamp((target - 1) / 10, 0, 9)));
}

TEST_CASE("one slot stays in reserve for the closing entry") {
  TimeIndexFixture f;  // room for ten
  for (int i = 1; i <= 9; ++i) {
    CHECK_FALSE(f.index.is_full());
    f.note({i, index_base + i});
  }
  CHECK(f.index.is_full());
  CHECK_FALSE(f.index.file().is_full());
  f.note({10, index_base + 10});
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
