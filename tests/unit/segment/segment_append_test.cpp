// The appender's half: order of the steps, room ahead of the writer, roll conditions, sealing, full disks.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "support/failing_vfs.hpp"
#include "support/hex.hpp"
#include "support/mounted.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::Segment;
using test::LogBuilder;
using test::t0_ms;

TEST_CASE("placed without publish is invisible, and the next batch overwrites it") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto segment = f.create();
    const auto lost = LogBuilder().batch({.size_bytes = 900, .timestamp_ms = t0_ms + 99});
    const auto kept = LogBuilder().batch({.size_bytes = 500});
    const auto placed = test::must(segment->place(lost[0].bytes, lost[0].header, 0));
    CHECK(placed.position == 0);
    CHECK(placed.last_offset == 0);
    test::must(segment->note(placed));
    CHECK(segment->end_position() == 0);
    CHECK(segment->end_offset() == 0);
    CHECK(segment->max_timestamp_ms() == -1);
    test::append(*segment, kept);
    CHECK(segment->max_timestamp_ms() == t0_ms);
    CHECK(test::visible(*segment) == kept.bytes());
    test::must(segment->seal());
    CHECK(test::read_file(f.log_path()) == kept.bytes());
  }
}

TEST_CASE("an index entry of a batch that was noted and not published is not there") {
  test::SegmentFixture f;
  const auto segment = f.create();
  test::append(*segment, LogBuilder().batch({.size_bytes = 5000}));
  const auto lost = LogBuilder(1).batch({.size_bytes = 700, .timestamp_ms = t0_ms + 50});
  test::must(segment->note(test::must(segment->place(lost[0].bytes, lost[0].header, 1))));
  const auto pin = test::must(segment->pin());
  CHECK(pin->offset_index.count() == 0);
  CHECK(pin->time_index.count() == 0);
  // Another batch takes its place, and its entry.
  const auto kept = LogBuilder(1).batch({.size_bytes = 800, .records = 3, .timestamp_ms = t0_ms + 5});
  test::append(*segment, kept);
  REQUIRE(pin->offset_index.count() == 1);
  CHECK(pin->offset_index.at(0) == segment::OffsetPosition{3, 5000});
  CHECK(pin->time_index.at(0) == segment::TimestampOffset{t0_ms + 7, 3});
}

TEST_CASE("the base offset is stamped and nothing else of the batch changes") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto segment = f.create(77);
    const auto bytes = test::make_batch({.records = 5});
    auto header = format::read_batch_header(bytes.data());
    header.base_offset = 77;
    const auto placed = test::must(test::try_append(*segment, {.header = header, .bytes = bytes}));
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
    const auto segment = f.create();
    test::append(*segment, log);
    test::must(segment->seal());
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
  const auto segment = f.create();
  const auto log = LogBuilder().batches(3, {.size_bytes = 100'000});
  for (const auto& batch : log.all()) {
    const auto room = test::must(segment->reserve(batch.bytes.size()));
    CHECK(test::must(segment->reserve(10)).data() == room.data());
    std::copy(batch.bytes.begin(), batch.bytes.end(), room.begin());
    const auto placed = test::must(segment->place(room, batch.header, batch.header.base_offset));
    test::must(segment->note(placed));
    segment->publish(placed);
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
  const auto segment = f.create();
  CHECK(segment->has_room(10'000, 0));
  CHECK_FALSE(segment->has_room(10'001, 0));
  test::append(*segment, LogBuilder().batch({.size_bytes = 9'000}));
  CHECK(segment->has_room(1'000, 1));
  CHECK_FALSE(segment->has_room(1'001, 1));
  const auto last = LogBuilder(1).batch({.size_bytes = 1'000});
  test::append(*segment, last);
  CHECK_FALSE(segment->has_room(1, 2));
  test::must(segment->seal());
  CHECK(test::file_size(f.log_path()) == 10'000);
}

TEST_CASE("a segment has room for offsets up to 2^31 - 1 above its base") {
  test::SegmentFixture f;
  const Offset base = Offset{1} << 40;
  const auto segment = f.create(base);
  constexpr Offset span_max = std::numeric_limits<std::int32_t>::max();
  CHECK(segment->has_room(100, base + span_max));
  CHECK_FALSE(segment->has_room(100, base + span_max + 1));
}

TEST_CASE("a full index takes the room of a segment, but never of an empty one") {
  test::SegmentFixture f;
  f.limits.index_bytes = 36;  // four offset entries; three time entries, one in reserve
  f.limits.index_interval_bytes = 0;
  const auto segment = f.create();
  int appended = 0;
  for (; segment->has_room(100, appended); ++appended) {
    test::append(*segment, LogBuilder(appended).batch({.size_bytes = 100, .timestamp_ms = t0_ms + appended}));
  }
  CHECK(appended == 3);  // the first has no entry
  test::must(segment->seal());
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
    const auto segment = f.create();
    const auto placed = test::try_append(*segment, LogBuilder().batch({.size_bytes = 5'001})[0]);
    REQUIRE_FALSE(placed);
    CHECK(placed.error().code() == Errc::record_too_large);
    test::append(*segment, LogBuilder().batch({.size_bytes = 5'000}));
  }
}

TEST_CASE("the file grows from 1 MiB, doubling to 64 MiB, and not past the segment's size") {
  test::SegmentFixture f;
  f.limits.segment_bytes = 300ULL << 20;
  const auto segment = f.create();
  CHECK(test::file_size(f.log_path()) == 0);  // an idle topic costs nothing
  // Filling memory would only slow the test down: the appender's position moves, the pages stay untouched.
  const auto batch = test::make_batch({.size_bytes = 1 << 20});
  const auto header = format::read_batch_header(batch.data());
  std::vector<std::uint64_t> sizes;
  for (Offset offset = 0; segment->has_room(batch.size(), offset); ++offset) {
    const auto placed = test::must(segment->place(batch, header, offset));
    test::must(segment->note(placed));
    segment->publish(placed);
    const auto size = test::file_size(f.log_path());
    if (sizes.empty() || size != sizes.back()) sizes.push_back(size);
    if (sizes.size() > 8) break;
  }
  std::vector<std::uint64_t> mib;
  for (const auto size : sizes) mib.push_back(size >> 20);
  CHECK(mib == std::vector<std::uint64_t>{1, 3, 7, 15, 31, 63, 127, 191, 255});
  const auto last = test::must(segment->reserve((256ULL << 20) - segment->append_position()));
  CHECK(last.size() > 0);
  CHECK(test::file_size(f.log_path()) == 300ULL << 20);
}

TEST_CASE("after sealing and after trimming every file has its exact length") {
  for (const bool mapped : {true, false}) {
    test::SegmentFixture f;
    f.limits.mapped_writes = mapped;
    const auto first = LogBuilder().batches(30, {.size_bytes = 1000});
    const auto segment = f.create();
    test::append(*segment, first);
    test::must(segment->trim());
    CHECK(test::read_file(f.log_path()) == first.bytes());
    CHECK(test::file_size(f.index_path()) == 5 * 8);
    CHECK(test::file_size(f.time_index_path()) == 6 * 12);  // with the closing entry
    // Trimming is not the end, and the closing entry not one that stays.
    const auto second = LogBuilder(30).batches(7, {.size_bytes = 1000, .timestamp_ms = t0_ms + 30});
    test::append(*segment, second);
    test::must(segment->seal());
    test::must(segment->seal());
    test::must(segment->trim());
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
    const auto segment = straight.create();
    test::append(*segment, first);
    test::append(*segment, more);
    test::must(segment->seal());
  }
  int steps = 0;
  for (bool failed = true; failed; ++steps) {
    test::SegmentFixture f;
    test::FailingVfs vfs;
    os::FdCache files(vfs, 8);
    const auto segment = test::must(Segment::create({vfs, files}, f.maps, f.directory, 0, f.limits));
    test::append(*segment, first);
    vfs.fail_after(steps);
    failed = !segment->seal();
    CHECK(segment->is_sealed() == !failed);
    vfs.heal();
    if (!failed) break;
    test::append(*segment, more);
    test::must(segment->seal());
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
    const auto created = Segment::create({vfs, files}, f.maps, f.directory, 0, f.limits);
    failed = !created;
    CHECK(vfs.has_failed() == failed);
    vfs.heal();
    if (failed) CHECK(Segment::create({vfs, files}, f.maps, f.directory, 0, f.limits));
  }
  CHECK(steps >= 4);  // three files and the directory
}

TEST_CASE("timestamps of the segment and of its first batch are kept") {
  test::SegmentFixture f;
  const auto segment = f.create();
  CHECK(segment->first_timestamp_ms() == -1);
  LogBuilder log;
  for (const int ms : {10, 30, 20}) log.batch({.timestamp_ms = t0_ms + ms});
  test::append(*segment, log);
  CHECK(segment->first_timestamp_ms() == t0_ms + 10);
  CHECK(segment->max_timestamp_ms() == t0_ms + 30);
  segment->set_created_ms(5);
  CHECK(segment->created_ms() == 5);
}

TEST_CASE("who takes many blocks at once says when they are taken, or were not to be had") {
  struct Keeper final : segment::SpaceKeeper {
    Result<> before_taking() override { return {}; }
    Result<> begin_taking() override {
      ++begun;
      return {};
    }
    void end_taking() noexcept override { ++ended; }
    int begun = 0;
    int ended = 0;
  };
  test::SegmentFixture f;
  Keeper keeper;
  f.context.keeper = &keeper;
  f.limits.mapped_writes = true;
  const auto segment = f.create();
  const auto log = LogBuilder().batches(2, {.size_bytes = 1000});
  for (std::size_t i = 0; i < 2; ++i) test::must(test::try_append(*segment, log[i]));
  CHECK(keeper.begun == 1);
  CHECK(keeper.ended == 1);
}

TEST_CASE("an appender asks before it takes blocks, and takes none while it may not") {
  struct Keeper final : segment::SpaceKeeper {
    Result<> before_taking() override {
      ++asked;
      if (may_take) return {};
      return Error(Errc::storage_full, "kept (by the test); nothing to be done");
    }
    bool may_take = false;
    int asked = 0;
  };
  for (const bool mapped : {true, false}) {
    CAPTURE(mapped);
    test::SegmentFixture f;
    Keeper keeper;
    f.context.keeper = &keeper;
    f.limits.mapped_writes = mapped;
    const auto segment = f.create();
    const auto log = LogBuilder().batches(2, {.size_bytes = 1000});
    const auto refused = test::try_append(*segment, log[0]);
    CHECK((!refused && refused.error().code() == Errc::storage_full));
    CHECK(test::file_size(f.log_path()) == 0);
    keeper.may_take = true;
    test::must(test::try_append(*segment, log[0]));
    const int asked = keeper.asked;
    keeper.may_take = false;
    // The space allocated already may be used.
    CHECK(test::try_append(*segment, log[1]).ok() == mapped);
    CHECK(keeper.asked == asked + (mapped ? 0 : 1));
  }
}

TEST_CASE("a batch for whose index entry there is no room is refused before anything of it is in the log") {
  test::FailingVfs vfs;
  test::SegmentFixture f;
  os::FdCache files(vfs, 8);
  const segment::SegmentContext context{vfs, files};
  f.limits.index_interval_bytes = 100;
  const auto segment = test::must(segment::Segment::create(context, f.maps, f.directory, 0, f.limits));
  const auto log = LogBuilder().batches(2, {.size_bytes = 1000});
  test::must(test::try_append(*segment, log[0]));
  for (int step = 0; step < 2; ++step) {  // either index
    vfs.fail_after(step, Errc::storage_full);
    CHECK(test::try_append(*segment, log[1]).error().code() == Errc::storage_full);
    vfs.heal();
    CHECK(f.scan(f.request()).state.end_offset == 1);
  }
  const auto placed = test::must(segment->place(log[1].bytes, log[1].header, 1));
  CHECK(f.scan(f.request()).fault == format::BatchFault::unpublished);
  test::must(segment->roll_back(placed));
  CHECK(f.scan(f.request()).fault == format::BatchFault::end_of_log);
  test::must(test::try_append(*segment, log[1]));
  CHECK(f.scan(f.request()).state.end_offset == 2);
}

TEST_CASE("a full disk is an error; readers go on, and appends work again when there is space") {
  for (const bool mapped : {true, false}) {
    const bool ran = test::with_mounted("tmpfs", "size=3m", [mapped](const std::string& root) {
      test::SegmentFixture f(root);
      f.limits.mapped_writes = mapped;
      const auto segment = f.create();
      LogBuilder log;
      Result<> refused;
      // Not ours, and no multiple of what we ask for, so that the last chunk is not a whole one.
      test::write_file(root + "/other", std::vector<std::byte>(100'000));
      while (log.size_bytes() < (4u << 20)) {
        const auto next = LogBuilder(log.next_offset())
                              .batch({.size_bytes = 1000, .timestamp_ms = t0_ms + log.next_offset()});
        if (auto placed = test::try_append(*segment, next[0]); !placed) {
          refused = placed.error();
          break;
        }
        log.batch({.size_bytes = 1000, .timestamp_ms = t0_ms + log.next_offset()});
      }
      CHECK_FALSE(refused);
      if (refused) return;
      CHECK(refused.error().code() == Errc::storage_full);
      CHECK(refused.error().message().find(segment->log_path()) != std::string::npos);
      // Nearly all of it was used: what is asked for last is small.
      CHECK(log.size_bytes() > (3u << 20) - 100'000 - 3 * 65'536);
      CHECK(test::visible(*segment) == log.bytes());
      const auto large = LogBuilder(log.next_offset()).batch({.size_bytes = 200'000});
      CHECK(test::try_append(*segment, large[0]).error().code() == Errc::storage_full);

      std::filesystem::remove(root + "/other");
      log.batch({.size_bytes = 1000, .timestamp_ms = t0_ms + 5000});
      CHECK(test::try_append(*segment, log.back()));
      CHECK(test::visible(*segment) == log.bytes());
      CHECK(segment->seal());
      CHECK(test::read_file(segment->log_path()) == log.bytes());
    });
    if (!ran) MESSAGE("not run: mounting a tmpfs needs root");
  }
}
