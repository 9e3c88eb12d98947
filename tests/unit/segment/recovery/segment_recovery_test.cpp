#include "segment/recovery/segment_recovery.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "format/batch_layout.hpp"
#include "format/index_entry.hpp"
#include "support/child_process.hpp"
#include "support/failing_vfs.hpp"
#include "support/hex.hpp"
#include "support/random.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using test::LogBuilder;
using test::t0_ms;

namespace {

using Bytes = std::vector<std::byte>;

}  // namespace

TEST_CASE("indexes rebuilt from the worked example are Kafka's, byte for byte") {
  test::SegmentFixture f;
  const auto log = test::worked_example();
  test::write_file(f.log_path(), log.bytes());
  auto request = f.request();
  request.is_sealed = true;
  auto found = f.scan(request);
  REQUIRE(found.indexes_need_rebuild);
  CHECK(found.state.end_offset == 14);
  CHECK(found.state.max_timestamp == segment::TimestampOffset{t0_ms + 13, 13});
  test::must(segment::rebuild_indexes(f.context, request, found.state));
  CHECK(test::to_hex(test::read_file(f.index_path())) ==
        test::to_hex(test::from_hex("00000003 0000126c 00000006 000024d8 0000000b 00003d78")));
  CHECK(test::to_hex(test::read_file(f.time_index_path())) ==
        test::to_hex(test::from_hex("0000018bcfe56803 00000003 0000018bcfe56806 00000006 "
                                    "0000018bcfe5680b 0000000b 0000018bcfe5680d 0000000d")));
  CHECK(found.state.offset_index_entries == 3);
  CHECK(found.state.time_index_entries == 4);
}

TEST_CASE("however an index was lost or damaged, the rebuilt one is that of the appender") {
  test::Random random("rebuilt is that of the appender");
  for (int round = 0; round < 20; ++round) {
    test::SegmentFixture f;
    LogBuilder log;
    for (int i = 0; i < 80; ++i) {
      log.batch({.size_bytes = static_cast<std::size_t>(random.between(200, 6000)),
                 .records = static_cast<int>(random.between(1, 5)),
                 .timestamp_ms = random.one_in(10) ? -1 : t0_ms + i + random.between(-30, 30)});
    }
    const bool is_sealed = random.one_in(2);
    {
      const auto writer = f.create();
      test::append(*writer, log);
      test::must(is_sealed ? writer->seal() : writer->trim());
    }
    const auto offsets = test::read_file(f.index_path());
    const auto closed_times = test::read_file(f.time_index_path());
    auto times = closed_times;
    for (const auto& path : {f.index_path(), f.time_index_path()}) {
      auto bytes = test::read_file(path);
      const auto at =
          static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(bytes.size()) - 1));
      switch (random.between(0, 4)) {
        case 0:
          std::filesystem::remove(path);
          break;
        case 1:
          test::write_file(path, base::ByteSpan(bytes).first(at));
          break;
        case 2:
          test::write_file(path, random.bytes(at));
          break;
        case 3:
          std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), std::byte{0});
          test::write_file(path, bytes);
          break;
        default:
          break;  // this one survives
      }
    }
    auto request = f.request();
    request.is_sealed = is_sealed;
    const auto durable = static_cast<std::size_t>(random.between(0, 80));
    if (durable > 0) {
      request.durable_position = log[durable - 1].end();
      request.durable_offset = log[durable - 1].header.next_offset();
    }
    auto found = f.scan(request);
    if (found.indexes_need_rebuild) {
      test::must(segment::rebuild_indexes(f.context, request, found.state));
      CHECK_FALSE(f.scan(request).indexes_need_rebuild);
      // A segment that goes on has no closing entry.
      times.resize(found.state.time_index_entries * segment::TimeIndex::entry_bytes);
    }
    CHECK(test::to_hex(test::read_file(f.index_path())) == test::to_hex(offsets));
    CHECK(test::to_hex(test::read_file(f.time_index_path())) == test::to_hex(times));
    CHECK(times.size() + (is_sealed ? 0 : segment::TimeIndex::entry_bytes) >= closed_times.size());
  }
}

TEST_CASE("INV-13: a time entry that names a later batch does not hide the largest timestamp before it") {
  test::SegmentFixture f;
  // As where markers with the time of the day stand before records with old event times.
  const std::int64_t largest_ms = t0_ms + 1'000'000;
  const auto log = LogBuilder()
                       .batch({.size_bytes = 1000, .records = 1, .timestamp_ms = largest_ms})
                       .batches(30, {.size_bytes = 1000, .records = 1});
  {
    const auto writer = f.create();
    test::append(*writer, log);
    test::must(writer->seal());
  }
  const auto offsets = test::read_file(f.index_path());
  const auto good = test::read_file(f.time_index_path());
  REQUIRE(good.size() == segment::TimeIndex::entry_bytes);
  auto request = f.request();
  request.durable_position = log.size_bytes();
  request.durable_offset = log.next_offset();
  request.is_sealed = true;
  for (const bool indexes_synced : {true, false}) {
    request.indexes_synced = indexes_synced;
    std::size_t rebuilt = 0;
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      auto times = good;
      times[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      test::write_file(f.time_index_path(), times);
      CAPTURE(indexes_synced);
      CAPTURE(bit);
      auto found = f.scan(request);
      // The last of synced entries is looked at where the walk passes its batch; readers prove the rest.
      if (!found.indexes_need_rebuild) continue;
      ++rebuilt;
      CHECK(found.state.max_timestamp.timestamp_ms == largest_ms);
      test::must(segment::rebuild_indexes(f.context, request, found.state));
      CHECK(test::read_file(f.time_index_path()) == good);
      CHECK(test::read_file(f.index_path()) == offsets);
    }
    if (!indexes_synced) CHECK(rebuilt == good.size() * 8);
    CHECK(rebuilt > 0);
  }
}

TEST_CASE("a valid batch beyond a hole does not come back after the tail is erased") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(4, {.size_bytes = 500});
  auto bytes = log.bytes();
  // The third batch never reached the disk, the fourth did.
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(log[2].position), 500, std::byte{0});
  test::write_file(f.log_path(), bytes);
  {
    const auto writer = f.recover(f.request());
    const auto segment = writer->segment();
    CHECK(segment->end_offset() == 2);
    // Fills the hole exactly.
    test::append(*writer, LogBuilder(2).batch({.size_bytes = 500, .timestamp_ms = t0_ms + 77}));
    CHECK(segment->end_offset() == 3);
  }
  // Killed: nothing was trimmed.
  CHECK(f.scan(f.request()).state.end_offset == 3);
}

TEST_CASE("recovering twice finds and changes the same as once") {
  test::SegmentFixture f;
  const LogBuilder made = LogBuilder().batches(20, {.size_bytes = 900});
  auto bytes = made.bytes();
  bytes.resize(bytes.size() - 100);
  bytes.resize(1 << 20);
  test::write_file(f.log_path(), bytes);
  const auto log_end = f.recover(f.request())->append_position();
  const auto log = test::read_file(f.log_path());
  const auto offsets = test::read_file(f.index_path());
  const auto times = test::read_file(f.time_index_path());
  CHECK(log.size() == log_end);
  CHECK(f.recover(f.request())->append_position() == log_end);
  CHECK(test::read_file(f.log_path()) == log);
  CHECK(test::read_file(f.index_path()) == offsets);
  CHECK(test::read_file(f.time_index_path()) == times);
}

TEST_CASE("a recovered segment is appended to as if it had never stopped") {
  const auto first = LogBuilder().batches(23, {.size_bytes = 900});
  const auto second = LogBuilder(23).batches(20, {.size_bytes = 700, .timestamp_ms = t0_ms + 23});
  test::SegmentFixture straight;
  {
    const auto writer = straight.create();
    test::append(*writer, first);
    test::append(*writer, second);
    test::must(writer->seal());
  }
  // Killed at some durable position, or closed: then with a closing time entry, and believed or not.
  for (const auto& [durable, is_closed] : std::vector<std::pair<std::size_t, bool>>{
           {0, false}, {5, false}, {23, false}, {0, true}, {23, true}}) {
    test::SegmentFixture f;
    {
      const auto writer = f.create();
      test::append(*writer, first);
      if (is_closed) test::must(writer->trim());
    }
    auto request = f.request();
    request.indexes_synced = is_closed && durable == 23;
    if (durable > 0) {
      request.durable_position = first[durable - 1].end();
      request.durable_offset = first[durable - 1].header.next_offset();
    }
    const auto writer = f.recover(request);
    CHECK(writer->first_timestamp_ms() == t0_ms);
    test::append(*writer, second);
    test::must(writer->seal());
    CHECK(test::read_file(f.log_path()) == test::read_file(straight.log_path()));
    CHECK(test::read_file(f.index_path()) == test::read_file(straight.index_path()));
    CHECK(test::read_file(f.time_index_path()) == test::read_file(straight.time_index_path()));
  }
}

TEST_CASE("INV-4: what was published survives kill -9 at any moment") {
  test::Random random("what was published survives kill -9");
  for (int round = 0; round < 8; ++round) {
    test::SegmentFixture f;
    f.limits.mapped_writes = round % 2 == 0;
    const auto batch = test::make_batch({.size_bytes = 777});
    const auto header = format::read_batch_header(batch.data());
    test::ChildProcess child([&](const test::ChildProcess::Voice& voice) {
      const auto writer = f.try_create();
      for (Offset offset = 0;; ++offset) {
        const auto placed = (*writer)->place(batch, header, offset);
        if (!placed || !(*writer)->note(*placed) || !(*writer)->write(*placed, batch)) ::_exit(1);
        (*writer)->publish(*placed);
        voice.say("x");
      }
    });
    const auto told = child.hear(static_cast<std::size_t>(random.between(1, 3000)));
    child.kill();
    const auto published = static_cast<Offset>(told.size() + child.hear_all().size());
    const auto writer = f.recover(f.request());
    const auto segment = writer->segment();
    CHECK(segment->end_offset() >= published);
    const auto log = LogBuilder().batches(static_cast<int>(segment->end_offset()), {.size_bytes = 777});
    CHECK(segment->end_position() == log.size_bytes());
  }
}

TEST_CASE("indexes go on with the next sound batch behind damage") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(60, {.size_bytes = 1000});
  auto bytes = log.bytes();
  bytes[log[3].position + format::magic_at] = std::byte{9};
  test::write_file(f.log_path(), bytes);
  auto request = f.request();
  request.durable_position = log[30].position;
  request.durable_offset = 30;
  const auto writer = f.recover(request);
  const auto segment = writer->segment();
  const auto pin = test::must(segment->pin());
  CHECK(segment->end_offset() == 60);
  CHECK(pin->offset_index.count() >= 5);
  CHECK(pin->offset_index.at(0).position >= log[4].position);
  CHECK(pin->offset_index.at(0).position < log[30].position);
  CHECK(pin->offset_index.last()->position > log[50].position);
}

TEST_CASE("INV-12: a wrong timestamp below the durable position gets into no index") {
  const auto log = LogBuilder().batches(60, {.size_bytes = 1000, .records = 2});
  for (std::size_t batch = 50; batch < 60; ++batch) {
    test::SegmentFixture f;
    {
      const auto writer = f.create();
      test::append(*writer, log);
      test::must(writer->seal());
    }
    auto bytes = log.bytes();
    bytes[log[batch].position + format::max_timestamp_at] ^= std::byte{1};
    test::write_file(f.log_path(), bytes);
    auto request = f.request();
    request.durable_position = log.size_bytes();
    request.durable_offset = request.offsets_end = log.next_offset();
    request.is_sealed = request.indexes_synced = true;
    CAPTURE(batch);
    auto found = test::must(segment::scan_segment(f.context, request));
    CHECK(found.state.max_timestamp.timestamp_ms <= log.back().header.max_timestamp_ms);
    if (found.indexes_need_rebuild) test::must(segment::rebuild_indexes(f.context, request, found.state));
    const auto times = test::read_file(f.time_index_path());
    const auto* const last = times.data() + times.size() - format::time_index_entry_bytes;
    CHECK(format::load_time_index_entry(last).timestamp_ms <= log.back().header.max_timestamp_ms);
  }
}

TEST_CASE("the tail is erased on stable storage before anybody may append behind it") {
  test::SegmentFixture f;
  test::write_file(f.log_path(), Bytes(10'000, std::byte{7}));
  test::FailingVfs vfs;
  os::FdCache files(vfs, 8);
  const segment::SegmentContext context{vfs, files};
  vfs.fail_after(1);  // the cut succeeds, its sync does not
  const auto erased = segment::erase_tail(context, f.log_path(), 4321);
  CHECK((!erased && erased.error().code() == Errc::storage_failed));
  CHECK(test::file_size(f.log_path()) == 4321);
  vfs.heal();
  test::must(segment::erase_tail(context, f.log_path(), 4321));
}

TEST_CASE("erasing a tail leaves the bytes before it, and is repeatable") {
  test::SegmentFixture f;
  const Bytes bytes(10'000, std::byte{7});
  test::write_file(f.log_path(), bytes);
  for (int i = 0; i < 2; ++i) {
    test::must(segment::erase_tail(f.context, f.log_path(), 4321));
    CHECK(test::read_file(f.log_path()) == Bytes(4321, std::byte{7}));
  }
  CHECK(segment::erase_tail(f.context, f.log_path(5), 0).error().code() == Errc::not_found);
}
