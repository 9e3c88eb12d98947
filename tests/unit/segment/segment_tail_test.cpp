#include "segment/segment_tail.hpp"

#include "unit/segment/segment_fixture.hpp"

namespace seriatim::test {
namespace {

using segment::OffsetGaps;
using segment::SegmentTail;

// A second process: nothing in common with the writer but the files.
struct Watcher {
  os::FdCache files{os::posix_vfs(), 16};
  segment::SegmentContext context{os::posix_vfs(), files};

  Result<SegmentTail> try_open(const SegmentFixture& fixture, Offset base = 0,
                               OffsetGaps gaps = OffsetGaps::none) {
    return SegmentTail::open(context, fixture.directory, base, gaps);
  }
  SegmentTail open(const SegmentFixture& fixture, Offset base = 0) { return must(try_open(fixture, base)); }
};

void check_same(const segment::SegmentState& found, segment::Segment& segment) {
  CHECK(found.end_position == segment.end_position());
  CHECK(found.end_offset == segment.end_offset());
  CHECK(found.max_timestamp.timestamp_ms == segment.max_timestamp_ms());
  const auto pin = must(segment.pin());
  CHECK(found.offset_index_entries == pin->offset_index.count());
  CHECK(found.time_index_entries == pin->time_index.count());
}

void write_over(const std::string& path, std::uint64_t position, base::ByteSpan bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(position));
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

TEST_CASE(
    "the tail of a segment that is being appended to is found behind its last whole batch, not at its file's "
    "end") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  append(*writer, LogBuilder().batches(100, {.size_bytes = 300}));
  CHECK(file_size(fixture.log_path()) > writer->segment()->end_position());
  Watcher watcher;
  const auto tail = watcher.open(fixture);
  check_same(tail.state(), *writer->segment());
  CHECK_FALSE(tail.is_exact());
}

TEST_CASE("the tail of a sealed segment is exact") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  append(*writer, LogBuilder().batches(100, {.size_bytes = 300}));
  must(writer->seal());
  Watcher watcher;
  const auto tail = watcher.open(fixture);
  check_same(tail.state(), *writer->segment());
  CHECK(tail.is_exact());
}

TEST_CASE("an advance finds every batch that was appended since, and the index entries that came with them") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  Watcher watcher;
  auto tail = watcher.open(fixture);
  LogBuilder log;
  CHECK_FALSE(must(tail.advance()));
  for (int round = 0; round < 30; ++round) {
    const std::size_t before = log.all().size();
    log.batches(7, {.size_bytes = 900, .timestamp_ms = t0_ms + round * 100});
    for (std::size_t i = before; i < log.all().size(); ++i) must(try_append(*writer, log[i]));
    CHECK(must(tail.advance()));
    check_same(tail.state(), *writer->segment());
    CHECK_FALSE(must(tail.advance()));
  }
}

TEST_CASE("a batch that is not whole yet is not there") {
  SegmentFixture fixture;
  LogBuilder log;
  log.batches(3, {.size_bytes = 200});
  auto bytes = log.bytes();
  const auto whole = bytes;
  // One byte of the last batch is still missing, wherever in it.
  for (std::uint64_t missing = log.back().position + format::crc_at; missing < bytes.size(); missing += 7) {
    bytes = whole;
    bytes[missing] ^= std::byte{0x5A};
    write_file(fixture.log_path(), bytes);
    write_file(fixture.index_path(), {});
    write_file(fixture.time_index_path(), {});
    Watcher watcher;
    auto tail = watcher.open(fixture);
    CHECK(tail.state().end_position == log.back().position);
    CHECK(tail.state().end_offset == 2);
    CHECK_FALSE(must(tail.advance()));
    write_over(fixture.log_path(), missing, {&whole[missing], 1});
    CHECK(must(tail.advance()));
    CHECK(tail.state().end_offset == 3);
  }
}

TEST_CASE("a batch that was placed and is not published is not there, nor is one that is taken back") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  const auto log = LogBuilder().batches(2, {.size_bytes = 500});
  must(try_append(*writer, log[0]));
  Watcher watcher;
  auto tail = watcher.open(fixture);
  const auto refused = must(writer->place(log[1].bytes, log[1].header, 1));
  must(writer->note(refused));
  CHECK_FALSE(must(tail.advance(segment::BehindFault::look)));
  CHECK(watcher.open(fixture).state().end_offset == 1);
  must(writer->roll_back(refused));
  const auto shorter = LogBuilder(1).batch({.size_bytes = 100});
  const auto placed = must(writer->place(shorter[0].bytes, shorter[0].header, 1));
  must(writer->note(placed));
  CHECK_FALSE(must(tail.advance(segment::BehindFault::look)));
  writer->publish(placed);
  CHECK(must(tail.advance(segment::BehindFault::look)));
  check_same(tail.state(), *writer->segment());
  check_same(watcher.open(fixture).state(), *writer->segment());
}

TEST_CASE("a whole batch that is not the next one, left from earlier use of the blocks, is not believed") {
  SegmentFixture fixture;
  LogBuilder log;
  log.batches(2, {.size_bytes = 200}).gap(5).batch({.size_bytes = 200});
  write_file(fixture.log_path(), log.bytes());
  write_file(fixture.index_path(), {});
  write_file(fixture.time_index_path(), {});
  Watcher watcher;
  CHECK(watcher.open(fixture).state().end_offset == 2);
  CHECK(must(watcher.try_open(fixture, 0, OffsetGaps::allowed)).state().end_offset == 8);
}

TEST_CASE(
    "INV-11: a damaged batch with a sound one behind it is not the end, whichever of its bytes is wrong") {
  SegmentFixture fixture;
  const auto log = LogBuilder().batches(4, {.size_bytes = 120});
  write_file(fixture.index_path(), {});
  write_file(fixture.time_index_path(), {});
  for (std::size_t at = log[1].position; at < log[2].end(); ++at) {
    CAPTURE(at);
    auto bytes = log.bytes();
    bytes[at] ^= std::byte{2};
    bytes.resize(bytes.size() + 4'096);
    write_file(fixture.log_path(), bytes);
    Watcher watcher;
    const auto tail = watcher.open(fixture);
    CHECK(tail.state().end_position == log.size_bytes());
    CHECK(tail.state().end_offset == 4);
  }
}

TEST_CASE("damage is passed by the next advance that looks behind it, when a batch is appended there") {
  SegmentFixture fixture;
  const auto log = LogBuilder().batches(3, {.size_bytes = 120});
  auto bytes = log.bytes();
  bytes[log[1].position + 100] ^= std::byte{1};
  auto shorter = bytes;
  shorter.resize(log[2].position);
  write_file(fixture.log_path(), shorter);
  write_file(fixture.index_path(), {});
  write_file(fixture.time_index_path(), {});
  Watcher watcher;
  auto tail = watcher.open(fixture);
  CHECK(tail.state().end_offset == 1);
  write_over(fixture.log_path(), 0, bytes);
  CHECK_FALSE(must(tail.advance()));
  CHECK(must(tail.advance(segment::BehindFault::look)));
  CHECK(tail.state().end_offset == 3);
  CHECK(tail.state().end_position == bytes.size());
  CHECK_FALSE(must(tail.advance(segment::BehindFault::look)));
}

TEST_CASE("a log does not end before what is known of it, even where nothing but zeros is left") {
  SegmentFixture fixture;
  const auto log = LogBuilder().batches(4, {.size_bytes = 120});
  auto bytes = log.bytes();
  std::fill(bytes.begin() + 120, bytes.end(), std::byte{0});
  write_file(fixture.log_path(), bytes);
  write_file(fixture.index_path(), {});
  write_file(fixture.time_index_path(), {});
  Watcher watcher;
  auto tail = watcher.open(fixture);
  CHECK(tail.state().end_offset == 1);
  const segment::KnownEnd known{.position = bytes.size(), .offset = 4};
  tail.note_known(known);
  CHECK(must(tail.advance(segment::BehindFault::look)));
  const auto again = must(SegmentTail::open(watcher.context, fixture.directory, 0, OffsetGaps::none, known));
  for (const auto* state : {&tail.state(), &again.state()}) {
    CHECK(state->end_offset == 4);
    CHECK(state->end_position == bytes.size());
  }
  // Never beyond the file: a map is touched up to the end.
  std::filesystem::resize_file(fixture.log_path(), 240);
  const auto shorter =
      must(SegmentTail::open(watcher.context, fixture.directory, 0, OffsetGaps::none, known));
  CHECK(shorter.state().end_offset == 4);
  CHECK(shorter.state().end_position == 240);
}

TEST_CASE("index entries that no batch confirms are not started from") {
  SegmentFixture fixture;
  auto writer = fixture.create();
  append(*writer, LogBuilder().batches(100, {.size_bytes = 500}));
  const auto end = writer->segment()->end_position();
  must(writer->seal());
  auto index = read_file(fixture.index_path());
  for (std::size_t at = 0; at + 8 <= index.size(); at += 8) index[at + 7] ^= std::byte{1};
  write_file(fixture.index_path(), index);
  Watcher watcher;
  const auto tail = watcher.open(fixture);
  CHECK(tail.state().end_position == end);
  CHECK(tail.state().offset_index_entries == 0);
}

TEST_CASE("a log that is gone, or that another file has replaced, is not found") {
  SegmentFixture fixture;
  Watcher watcher;
  auto missing = watcher.try_open(fixture);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::not_found);
  {
    auto writer = fixture.create();
    append(*writer, LogBuilder().batches(3));
  }
  auto tail = watcher.open(fixture);
  const auto bytes = read_file(fixture.log_path());
  std::filesystem::rename(fixture.log_path(), fixture.directory + "/kept");
  write_file(fixture.log_path(), bytes);
  watcher.files.forget(fixture.log_path());
  auto replaced = tail.advance();
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().code() == Errc::not_found);
  CHECK(replaced.error().message().find(fixture.log_path()) != std::string::npos);
}

TEST_CASE("a segment whose indexes are not there yet is not found") {
  SegmentFixture fixture;
  write_file(fixture.log_path(), {});
  Watcher watcher;
  auto tail = watcher.try_open(fixture);
  REQUIRE_FALSE(tail);
  CHECK(tail.error().code() == Errc::not_found);
}

}  // namespace
}  // namespace seriatim::test
