#include "segment/named_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "unit/segment/segment_fixture.hpp"

using namespace seriatim;
using segment::Segment;
using test::LogBuilder;

TEST_CASE("a log that was cut from outside is refused, not mapped into a SIGBUS") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(5, {.size_bytes = 1000});
  test::write_file(f.log_path(), log.bytes());
  const auto state = f.recover(f.request())->append_position();
  REQUIRE(state == 5000);
  const auto segment =
      Segment::sealed(f.context, f.maps, f.directory, {.end_position = 5000, .end_offset = 5});
  std::filesystem::resize_file(f.log_path(), 4999);
  CHECK(segment->pin().error().code() == Errc::corrupt_record);
  const auto active = segment::SegmentWriter::open(f.context, f.maps, f.directory,
                                                   {.end_position = 5000, .end_offset = 5}, f.limits);
  CHECK(active.error().code() == Errc::corrupt_record);
}

TEST_CASE("a sealed segment whose log is meant to be a certain file is not found when another has its name") {
  test::SegmentFixture f;
  {
    const auto writer = f.create();
    test::append(*writer, LogBuilder().batches(5, {.size_bytes = 100}));
    test::must(writer->seal());
  }
  const auto id = test::must(test::must(f.context.vfs.open(f.log_path(), os::OpenMode::read))->id());
  const segment::SegmentState state{.end_position = 500, .end_offset = 5};
  const auto meant = [&] { return Segment::sealed(f.context, f.maps, f.directory, state, id); };
  const auto kept = meant();
  CHECK(test::must(kept->pin())->log.size() == 500);
  const auto bytes = test::read_file(f.log_path());
  std::filesystem::rename(f.log_path(), f.directory + "/kept");
  test::write_file(f.log_path(), bytes);
  f.files.forget(f.log_path());
  CHECK(meant()->pin().error().code() == Errc::not_found);
  CHECK(meant()->log_file().error().code() == Errc::not_found);
  CHECK(test::must(kept->pin())->log.size() == 500);
}

TEST_CASE("an index of a sealed segment that is missing or out of order is refused") {
  test::SegmentFixture f;
  const auto log = LogBuilder().batches(20, {.size_bytes = 1000});
  {
    const auto writer = f.create();
    test::append(*writer, log);
    test::must(writer->seal());
  }
  const auto reopen = [&] {
    return Segment::sealed(f.context, f.maps, f.directory, {.end_position = 20'000, .end_offset = 20})->pin();
  };
  CHECK(reopen());
  for (const auto& path : {f.index_path(), f.time_index_path()}) {
    const auto good = test::read_file(path);
    auto bad = good;
    std::fill(bad.end() - 12, bad.end(), std::byte{0});
    test::write_file(path, bad);
    CHECK(reopen().error().code() == Errc::corrupt_metadata);
    std::filesystem::remove(path);
    CHECK(reopen().error().code() == Errc::corrupt_metadata);
    test::write_file(path, good);
  }
}
