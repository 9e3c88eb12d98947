#include "segment/segment_tail.hpp"
#include "unit/segment/segment_fixture.hpp"

namespace seriatim::test {
namespace {

using segment::OffsetGaps;
using segment::Segment;
using segment::SegmentTail;

struct Following {
  explicit Following(const SegmentFixture& fixture)
      : tail(must(SegmentTail::open(context, fixture.directory, 0, OffsetGaps::none))),
        segment(must(Segment::follow(context, maps, tail))) {}

  os::FdCache files{os::posix_vfs(), 16};
  segment::SegmentContext context{os::posix_vfs(), files};
  segment::MapCache maps;
  SegmentTail tail;
  segment::SegmentPtr segment;
};

TEST_CASE(
    "a followed segment shows what its writer appends, bytes and index entries, in maps that never move") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  Following following(fixture);
  const auto pin = must(following.segment->pin());
  CHECK(following.segment->is_empty());
  LogBuilder log;
  for (int round = 0; round < 20; ++round) {
    const std::size_t before = log.all().size();
    log.batches(11, {.size_bytes = 800, .timestamp_ms = t0_ms + round * 50});
    for (std::size_t i = before; i < log.all().size(); ++i) must(try_append(*writer, log[i]));
    REQUIRE(must(following.tail.advance()));
    following.segment->extend_followed(following.tail.state());
    CHECK(visible(*following.segment) == visible(*writer->segment()));
  }
  CHECK(must(following.segment->pin()) == pin);
  const auto theirs = must(writer->segment()->pin());
  CHECK(pin->offset_index.count() == theirs->offset_index.count());
  CHECK(pin->time_index.count() == theirs->time_index.count());
  for (Offset offset = 0; offset < log.next_offset(); offset += 5)
    CHECK(pin->offset_index.floor(offset) == theirs->offset_index.floor(offset));
  CHECK(following.segment->end_offset() == writer->segment()->end_offset());
  CHECK(following.segment->max_timestamp_ms() == writer->segment()->max_timestamp_ms());
}

TEST_CASE("a writer that closes and opens again takes no page from under a reader beside it") {
  for (const bool was_clean : {true, false}) {
    CAPTURE(was_clean);
    SegmentFixture fixture;
    const auto log = LogBuilder().batches(3, {.size_bytes = 100});
    auto writer = fixture.create();
    append(*writer, log);
    must(writer->trim());
    writer.reset();
    Following following(fixture);
    const auto pin = must(following.segment->pin());
    REQUIRE(pin->time_index.count() == 1);  // the closing entry
    const auto before = pin->time_index.last();
    auto request = fixture.request();
    request.indexes_synced = was_clean;
    if (was_clean) request.durable_position = log.size_bytes();
    if (was_clean) request.durable_offset = 3;
    writer = fixture.recover(request);
    REQUIRE(file_size(fixture.time_index_path()) >= 12);  // what follows would be SIGBUS
    CHECK((pin->time_index.last() == before) == was_clean);
    append(*writer, LogBuilder(3).batches(200, {.size_bytes = 1'000, .timestamp_ms = t0_ms + 3}));
    must(following.tail.advance());
    following.segment->extend_followed(following.tail.state());
    CHECK(visible(*following.segment) == visible(*writer->segment()));
    const auto theirs = must(writer->segment()->pin());
    REQUIRE(pin->time_index.count() == theirs->time_index.count());
    CHECK(pin->time_index.last() == theirs->time_index.last());
    must(writer->trim());
    CHECK(pin->time_index.last() == theirs->time_index.last());
  }
}

TEST_CASE("a followed segment stays readable when its writer trims, seals and deletes the files") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  append(*writer, LogBuilder().batches(50, {.size_bytes = 500}));
  Following following(fixture);
  const auto before = visible(*following.segment);
  must(writer->seal());
  following.segment->end_followed();
  CHECK(following.segment->is_sealed());
  CHECK(visible(*following.segment) == before);
  std::filesystem::remove(fixture.log_path());
  std::filesystem::remove(fixture.index_path());
  CHECK(visible(*following.segment) == before);
}

TEST_CASE("files that took the place of those a tail has looked at are not mapped") {
  SegmentFixture fixture;
  {
    auto writer = fixture.create();
    append(*writer, LogBuilder().batches(50, {.size_bytes = 500}));
  }
  Following following(fixture);
  const auto bytes = read_file(fixture.index_path());
  std::filesystem::rename(fixture.index_path(), fixture.directory + "/kept");
  write_file(fixture.index_path(), bytes);
  auto followed = Segment::follow(following.context, following.maps, following.tail);
  REQUIRE_FALSE(followed);
  CHECK(followed.error().code() == Errc::not_found);
}

}  // namespace
}  // namespace seriatim::test
