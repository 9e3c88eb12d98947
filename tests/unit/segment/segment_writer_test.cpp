// Order of the steps, roll conditions, sealing. Room ahead: log_room_test.cpp.
#include "segment/segment_writer.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "support/failing_vfs.hpp"
#include "support/hex.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::SegmentWriter;
using test::LogBuilder;
using test::t0_ms;

namespace {

template <class T>
concept Appends = requires(T& to, const segment::PlacedBatch& batch) {
  to.publish(batch);
}
|| requires(T& to) { to.seal(); }
|| requires(T& to) { to.trim(); }
|| requires(T& to) { to.reserve(1); }
|| requires(T& to) { to.abandon(); };
static_assert(Appends<SegmentWriter> && !Appends<segment::Segment>, "readers cannot append");

}  // namespace

TEST_CASE("a segment outlives its writer, sealed or not, for whoever still has it") {
  for (const bool is_sealed : {true, false}) {
    CAPTURE(is_sealed);
    test::SegmentFixture f;
    const auto log = LogBuilder().batches(5, {.size_bytes = 1000});
    auto writer = f.create();
    const auto segment = writer->segment();
    test::append(*writer, log);
    if (is_sealed) test::must(writer->seal());
    writer.reset();
    segment->prefault();
    CHECK(segment->is_sealed() == is_sealed);
    CHECK(test::visible(*segment) == log.bytes());
    test::must(segment->sync());
    CHECK(f.maps.size() == (is_sealed ? 1 : 0));
  }
}

TEST_CASE("placed without publish is invisible, and the next batch overwrites it") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto writer = f.create();
    const auto segment = writer->segment();
    const auto lost = LogBuilder().batch({.size_bytes = 900, .timestamp_ms = t0_ms + 99});
    const auto kept = LogBuilder().batch({.size_bytes = 500});
    const auto placed = test::must(writer->place(lost[0].bytes, lost[0].header, 0));
    CHECK(placed.position == 0);
    CHECK(placed.last_offset == 0);
    test::must(writer->note(placed));
    CHECK(segment->end_position() == 0);
    CHECK(segment->end_offset() == 0);
    CHECK(segment->max_timestamp_ms() == -1);
    test::append(*writer, kept);
    CHECK(segment->max_timestamp_ms() == t0_ms);
    CHECK(test::visible(*segment) == kept.bytes());
    test::must(writer->seal());
    CHECK(test::read_file(f.log_path()) == kept.bytes());
  }
}

TEST_CASE("an index entry of a batch that was noted and not published is not there") {
  test::SegmentFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  test::append(*writer, LogBuilder().batch({.size_bytes = 5000}));
  const auto lost = LogBuilder(1).batch({.size_bytes = 700, .timestamp_ms = t0_ms + 50});
  test::must(writer->note(test::must(writer->place(lost[0].bytes, lost[0].header, 1))));
  const auto pin = test::must(segment->pin());
  CHECK(pin->offset_index.count() == 0);
  CHECK(pin->time_index.count() == 0);
  // Another batch takes its place, and its entry.
  const auto kept = LogBuilder(1).batch({.size_bytes = 800, .records = 3, .timestamp_ms = t0_ms + 5});
  test::append(*writer, kept);
  REQUIRE(pin->offset_index.count() == 1);
  CHECK(pin->offset_index.at(0) == segment::OffsetPosition{3, 5000});
  CHECK(pin->time_index.at(0) == segment::TimestampOffset{t0_ms + 7, 3});
}

TEST_CASE("the base offset is stamped and nothing else of the batch changes") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto writer = f.create(77);
    const auto segment = writer->segment();
    const auto bytes = test::make_batch({.records = 5});
    auto header = format::read_batch_header(bytes.data());
    header.base_offset = 77;
    const auto placed = test::must(test::try_append(*writer, {.header = header, .bytes = bytes}));
    CHECK(placed.last_offset == 81);
    CHECK(segment->end_offset() == 82);
    auto expected = bytes;
    format::stamp_base_offset(expected.data(), 77);
    CHECK(test::visible(*segment) == expected);
  }
}

TEST_CASE("the indexes an appender leaves are those Kafka makes from its log") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto log = test::worked_example();
    const auto writer = f.create();
    test::append(*writer, log);
    test::must(writer->seal());
    CHECK(test::read_file(f.log_path()) == log.bytes());
    CHECK(test::to_hex(test::read_file(f.index_path())) ==
          test::to_hex(test::from_hex("00000003 0000126c 00000006 000024d8 0000000b 00003d78")));
    CHECK(test::to_hex(test::read_file(f.time_index_path())) ==
          test::to_hex(test::from_hex("0000018bcfe56803 00000003 0000018bcfe56806 00000006 "
                                      "0000018bcfe5680b 0000000b 0000018bcfe5680d 0000000d")));
  }
}

TEST_CASE("a batch may be written in the room reserved for it") {
  test::SegmentFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  const auto log = LogBuilder().batches(3, {.size_bytes = 100'000});
  for (const auto& batch : log.all()) {
    const auto room = test::must(writer->reserve(batch.bytes.size()));
    CHECK(test::must(writer->reserve(10)).data() == room.data());
    std::copy(batch.bytes.begin(), batch.bytes.end(), room.begin());
    const auto placed = test::must(writer->place(room, batch.header, batch.header.base_offset));
    test::must(writer->note(placed));
    writer->publish(placed);
  }
  CHECK(test::visible(*segment) == log.bytes());
}

TEST_CASE("there is no room to reserve where writes do not go through the map") {
  test::SegmentFixture f;
  f.limits.mapped_writes = false;
  const auto room = f.create()->reserve(100);
  REQUIRE_FALSE(room);
  CHECK(room.error().code() == Errc::invalid_state);
}

TEST_CASE("a segment has room up to segment.bytes exactly") {
  test::SegmentFixture f;
  f.limits.segment_bytes = 10'000;
  const auto writer = f.create();
  CHECK(writer->has_room(10'000, 0));
  CHECK_FALSE(writer->has_room(10'001, 0));
  test::append(*writer, LogBuilder().batch({.size_bytes = 9'000}));
  CHECK(writer->has_room(1'000, 1));
  CHECK_FALSE(writer->has_room(1'001, 1));
  const auto last = LogBuilder(1).batch({.size_bytes = 1'000});
  test::append(*writer, last);
  CHECK_FALSE(writer->has_room(1, 2));
  test::must(writer->seal());
  CHECK(test::file_size(f.log_path()) == 10'000);
}

TEST_CASE("a segment has room for offsets up to 2^31 - 1 above its base") {
  test::SegmentFixture f;
  const Offset base = Offset{1} << 40;
  const auto writer = f.create(base);
  constexpr Offset span_max = std::numeric_limits<std::int32_t>::max();
  CHECK(writer->has_room(100, base + span_max));
  CHECK_FALSE(writer->has_room(100, base + span_max + 1));
}

TEST_CASE("a full index takes the room of a segment, but never of an empty one") {
  test::SegmentFixture f;
  f.limits.index_bytes = 36;  // four offset entries; three time entries, one in reserve
  f.limits.index_interval_bytes = 0;
  const auto writer = f.create();
  int appended = 0;
  for (; writer->has_room(100, appended); ++appended) {
    test::append(*writer, LogBuilder(appended).batch({.size_bytes = 100, .timestamp_ms = t0_ms + appended}));
  }
  CHECK(appended == 3);  // the first has no entry
  test::must(writer->seal());
  CHECK(test::file_size(f.time_index_path()) == 24);  // no later timestamp that would need a closing entry

  f.limits.index_bytes = 0;
  const auto tiny = f.create(1000);
  CHECK(tiny->has_room(100, 1000));
  test::append(*tiny, LogBuilder(1000).batch({.size_bytes = 100}));
  CHECK_FALSE(tiny->has_room(100, 1001));
}

TEST_CASE("a batch that does not fit is refused, whatever the caller believed") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits = {.segment_bytes = 5'000, .mapped_writes = mapped};
    const auto writer = f.create();
    const auto placed = test::try_append(*writer, LogBuilder().batch({.size_bytes = 5'001})[0]);
    REQUIRE_FALSE(placed);
    CHECK(placed.error().code() == Errc::record_too_large);
    test::append(*writer, LogBuilder().batch({.size_bytes = 5'000}));
  }
}

TEST_CASE("after sealing and after trimming every file has its exact length") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto first = LogBuilder().batches(30, {.size_bytes = 1000});
    const auto writer = f.create();
    const auto segment = writer->segment();
    test::append(*writer, first);
    test::must(writer->trim());
    CHECK(test::read_file(f.log_path()) == first.bytes());
    CHECK(test::file_size(f.index_path()) == 5 * 8);
    CHECK(test::file_size(f.time_index_path()) == 6 * 12);  // with the closing entry
    // Trimming is not the end, and the closing entry not one that stays.
    const auto second = LogBuilder(30).batches(7, {.size_bytes = 1000, .timestamp_ms = t0_ms + 30});
    test::append(*writer, second);
    test::must(writer->seal());
    test::must(writer->seal());
    test::must(writer->trim());
    auto whole = first.bytes();
    const auto rest = second.bytes();
    whole.insert(whole.end(), rest.begin(), rest.end());
    CHECK(test::read_file(f.log_path()) == whole);
    CHECK(test::visible(*segment) == whole);
    CHECK(test::file_size(f.index_path()) == 7 * 8);
    CHECK(test::file_size(f.time_index_path()) == 8 * 12);
  }
}

TEST_CASE("sealing may fail at every step, and be tried again after more was appended") {
  test::SegmentFixture straight;
  const auto first = LogBuilder().batches(12, {.size_bytes = 1000});
  const auto more = LogBuilder(12).batches(3, {.size_bytes = 1000, .timestamp_ms = t0_ms + 12});
  {
    const auto writer = straight.create();
    test::append(*writer, first);
    test::append(*writer, more);
    test::must(writer->seal());
  }
  int steps = 0;
  for (bool failed = true; failed; ++steps) {
    test::SegmentFixture f;
    test::FailingVfs vfs;
    os::FdCache files(vfs, 8);
    const auto writer = test::must(SegmentWriter::create({vfs, files}, f.maps, f.directory, 0, f.limits));
    const auto segment = writer->segment();
    test::append(*writer, first);
    vfs.fail_after(steps);
    failed = !writer->seal();
    CHECK(segment->is_sealed() == !failed);
    vfs.heal();
    if (!failed) break;
    test::append(*writer, more);
    test::must(writer->seal());
    CHECK(test::read_file(f.log_path()) == test::read_file(straight.log_path()));
    CHECK(test::read_file(f.index_path()) == test::read_file(straight.index_path()));
    CHECK(test::read_file(f.time_index_path()) == test::read_file(straight.time_index_path()));
  }
  CHECK(steps >= 3);  // each of the three files is cut
}

TEST_CASE("creating a segment may fail at every step and leaves nothing in the way of the next try") {
  int steps = 0;
  for (bool failed = true; failed; ++steps) {
    test::SegmentFixture f;
    test::FailingVfs vfs;
    os::FdCache files(vfs, 8);
    vfs.fail_after(steps);
    const auto created = SegmentWriter::create({vfs, files}, f.maps, f.directory, 0, f.limits);
    failed = !created;
    CHECK(vfs.has_failed() == failed);
    vfs.heal();
    if (failed) CHECK(SegmentWriter::create({vfs, files}, f.maps, f.directory, 0, f.limits));
  }
  CHECK(steps >= 4);  // three files and the directory
}

TEST_CASE("timestamps of the segment and of its first batch are kept") {
  test::SegmentFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  CHECK(writer->first_timestamp_ms() == -1);
  LogBuilder log;
  for (const int ms : {10, 30, 20}) log.batch({.timestamp_ms = t0_ms + ms});
  test::append(*writer, log);
  CHECK(writer->first_timestamp_ms() == t0_ms + 10);
  CHECK(segment->max_timestamp_ms() == t0_ms + 30);
  writer->set_created_ms(5);
  CHECK(writer->created_ms() == 5);
}

TEST_CASE("a batch for whose index entry there is no room is refused before anything of it is in the log") {
  test::FailingVfs vfs;
  test::SegmentFixture f;
  os::FdCache files(vfs, 8);
  const segment::SegmentContext context{vfs, files};
  f.limits.index_interval_bytes = 100;
  const auto writer = test::must(SegmentWriter::create(context, f.maps, f.directory, 0, f.limits));
  const auto log = LogBuilder().batches(2, {.size_bytes = 1000});
  test::must(test::try_append(*writer, log[0]));
  for (int step = 0; step < 2; ++step) {  // either index
    vfs.fail_after(step, Errc::storage_full);
    CHECK(test::try_append(*writer, log[1]).error().code() == Errc::storage_full);
    vfs.heal();
    CHECK(f.scan(f.request()).state.end_offset == 1);
  }
  const auto placed = test::must(writer->place(log[1].bytes, log[1].header, 1));
  CHECK(f.scan(f.request()).fault == format::BatchFault::unpublished);
  test::must(writer->roll_back(placed));
  CHECK(f.scan(f.request()).fault == format::BatchFault::end_of_log);
  test::must(test::try_append(*writer, log[1]));
  CHECK(f.scan(f.request()).state.end_offset == 2);
}
