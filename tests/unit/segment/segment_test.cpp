#include "segment/segment.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "segment/segment_store.hpp"
#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::Segment;
using test::LogBuilder;
using test::t0_ms;

TEST_CASE("a new segment has its three files under Kafka's names, and no bytes") {
  test::SegmentFixture f;
  const auto writer = f.create(42);
  const auto segment = writer->segment();
  CHECK(segment->log_path() == f.directory + "/00000000000000000042.log");
  for (const auto& path : {f.log_path(42), f.index_path(42), f.time_index_path(42)})
    CHECK(test::file_size(path) == 0);
  CHECK(segment->end_offset() == 42);
  CHECK(segment->end_position() == 0);
  CHECK(segment->max_timestamp_ms() == -1);
  CHECK(segment->is_empty());
  CHECK_FALSE(segment->is_sealed());
}

TEST_CASE("a log that holds bytes is never taken over by a new segment") {
  test::SegmentFixture f;
  test::write_log_file(f.log_path(), LogBuilder().batch());
  const auto before = test::read_file(f.log_path());
  const auto created = f.try_create();
  REQUIRE_FALSE(created);
  CHECK(created.error().code() == Errc::invalid_state);
  CHECK(test::read_file(f.log_path()) == before);
  // An empty one, left by a roll that was interrupted, is.
  test::write_file(f.log_path(7), {});
  CHECK(f.try_create(7));
}

TEST_CASE("creating a segment where it cannot be leaves nothing behind") {
  test::SegmentFixture f;
  std::filesystem::create_directory(f.time_index_path());
  const auto created = f.try_create();
  REQUIRE_FALSE(created);
  CHECK_FALSE(std::filesystem::exists(f.index_path()));
  CHECK(created.error().message().find(f.time_index_path()) != std::string::npos);
}

TEST_CASE("ten thousand sealed segments are described without opening a file") {
  test::SegmentFixture f;
  std::vector<segment::SegmentPtr> segments;
  for (Offset base = 0; base < 10'000; ++base) {
    segments.push_back(Segment::sealed(f.context, f.maps, f.directory + "/not there",
                                       {.base_offset = base, .end_position = 100, .end_offset = base + 1}));
  }
  CHECK(f.files.size() == 0);
  CHECK(f.maps.size() == 0);
  CHECK(segments[9999]->end_offset() == 10'000);
  CHECK(segments[0]->pin().error().code() == Errc::not_found);
}

TEST_CASE("readers with a pin keep the bytes of a deleted segment; new ones are told it is gone") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(20, {.size_bytes = 1000});
  const auto writer = f.create();
  const auto segment = writer->segment();
  test::append(*writer, log);
  test::must(writer->seal());
  auto pin = test::must(segment->pin());
  auto file = test::must(segment->log_file());

  segment->mark_deleted();
  test::must(segment::delete_segment_files(f.context, f.directory, 0));
  CHECK(std::filesystem::is_empty(f.directory));
  CHECK(segment->is_deleted());
  CHECK(segment->is_pinned());
  const auto expected = log.bytes();
  CHECK(std::equal(expected.begin(), expected.end(), pin->log.data()));
  CHECK(pin->offset_index.floor(10).position > 0);
  std::vector<std::byte> read(expected.size());
  CHECK(test::must(file->read_at(read, 0)) == expected.size());
  CHECK(read == expected);

  CHECK(segment->pin().error().code() == Errc::not_found);
  CHECK(segment->log_file().error().code() == Errc::not_found);
  pin.reset();
  CHECK_FALSE(segment->is_pinned());
}

TEST_CASE("an active segment that is given up lets go of its maps, and readers keep theirs") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(5, {.size_bytes = 1000});
  const auto writer = f.create();
  const auto segment = writer->segment();
  test::append(*writer, log);
  auto pin = test::must(segment->pin());
  writer->abandon();
  CHECK(segment->is_deleted());
  CHECK(segment->is_pinned());
  CHECK(segment->pin().error().code() == Errc::not_found);
  segment->prefault();
  const auto expected = log.bytes();
  CHECK(std::equal(expected.begin(), expected.end(), pin->log.data()));
  CHECK(pin.use_count() == 1);
  pin.reset();
  CHECK_FALSE(segment->is_pinned());
}

TEST_CASE("a sealed segment is read back as it was appended, in another life too") {
  test::SegmentFixture f;
  const auto log = LogBuilder(100).batches(40, {.size_bytes = 1000, .records = 3});
  {
    const auto writer = f.create(100);
    test::append(*writer, log);
    test::must(writer->seal());
  }
  auto request = f.request(100);
  request.is_sealed = true;
  const auto segment = Segment::sealed(f.context, f.maps, f.directory, f.scan(request).state);
  CHECK(segment->is_sealed());
  CHECK(segment->end_offset() == log.next_offset());
  CHECK(segment->max_timestamp_ms() == log.back().header.max_timestamp_ms);
  CHECK(test::visible(*segment) == log.bytes());
  CHECK(test::must(segment->pin())->time_index.last()->offset == log.back().header.last_offset());
  CHECK(segment->modified_ms() > t0_ms);
}

TEST_CASE("a segment with bytes behind its end is not opened for appending") {
  test::SegmentFixture f;
  test::write_log_file(f.log_path(), LogBuilder().batches(5, {.size_bytes = 1000}));
  const auto active = segment::SegmentWriter::open(f.context, f.maps, f.directory,
                                                   {.end_position = 4000, .end_offset = 4}, f.limits);
  REQUIRE_FALSE(active);
  CHECK(active.error().code() == Errc::invalid_state);
}

TEST_CASE("readers follow a running appender and never see half a batch") {
  test::SegmentFixture f;
  const auto writer = f.create();
  const auto segment = writer->segment();
  const auto log = LogBuilder().batches(3000, {.size_bytes = 170});
  std::atomic<int> finished{0};
  const auto follow = [&] {
    const auto pin = test::must(segment->pin());
    std::uint64_t position = 0;
    Offset next = 0;
    while (next < log.next_offset()) {
      const Offset end_offset = segment->end_offset();
      const std::uint64_t end = segment->end_position();
      while (position < end) {
        const base::ByteSpan rest{pin->log.data() + position, end - position};
        if (format::check_batch(rest, next) != format::BatchFault::none) {
          FAIL_CHECK("at position " << position);
          return;
        }
        const auto header = format::read_batch_header(rest.data());
        position += header.size_bytes();
        next = header.next_offset();
      }
      if (end_offset > next) FAIL_CHECK("an offset was published before its bytes");
      const auto floor = pin->offset_index.floor(next);
      if (floor.position > position) FAIL_CHECK("an index entry was published before its batch");
    }
    ++finished;
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back(follow);
  for (const auto& batch : log.all()) {
    test::must(test::try_append(*writer, batch));
    if (batch.header.base_offset % 1000 == 999) test::must(segment->sync());
  }
  test::must(writer->seal());
  for (auto& reader : readers) reader.join();
  CHECK(finished == 2);
}
