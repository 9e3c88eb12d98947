#include "partition/segment_list.hpp"

#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::SegmentList;

TEST_CASE(
    "find returns the last segment that begins at or below the offset, the first one for what lies before "
    "all") {
  PartitionWorld world;
  std::vector<segment::SegmentPtr> segments;
  for (const Offset base : {10, 20, 35}) {
    segments.push_back(segment::Segment::sealed(world.environment.files, world.maps, "nowhere",
                                                {.base_offset = base, .end_offset = base}));
  }
  const SegmentList list(segments);
  struct Expected {
    Offset offset;
    std::size_t index;
  };
  for (const Expected& row :
       {Expected{0, 0}, {9, 0}, {10, 0}, {19, 0}, {20, 1}, {34, 1}, {35, 2}, {1'000'000, 2}}) {
    CAPTURE(row.offset);
    CHECK(list.find(row.offset) == row.index);
  }
  CHECK(list.size() == 3);
  CHECK(list.front() == segments.front());
  CHECK(list.back() == segments.back());
  CHECK(SegmentList().empty());
}

}  // namespace
}  // namespace seriatim::test
