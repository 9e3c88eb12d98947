#include "partition/read/backward_cursor.hpp"

#include <algorithm>

#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::BackwardCursor;
using partition::FetchCursor;
using partition::FetchedBatch;

std::vector<Offset> bases_below(const partition::PartitionLogPtr& log, Offset before) {
  BackwardCursor cursor(log);
  must(cursor.seek(before));
  std::vector<Offset> bases;
  FetchedBatch batch;
  while (must(cursor.previous(batch)) == FetchCursor::Step::batch) {
    CHECK(format::read_batch_header(batch.bytes.data()) == batch.header);
    bases.push_back(batch.header.base_offset);
  }
  return bases;
}

TEST_CASE(
    "walking backwards from any offset meets every batch below it once, newest first, across segments") {
  ReaderFixture fixture;
  std::vector<Offset> all;
  while (fixture.partition->segments().load()->size() < 4)
    all.push_back(fixture.append({.records = 3}).base_offset);
  for (Offset before = 0; before <= fixture.partition->high_watermark(); ++before) {
    std::vector<Offset> expected;
    for (const Offset base : all) {
      if (base < before) expected.insert(expected.begin(), base);
    }
    CAPTURE(before);
    REQUIRE(bases_below(fixture.partition, before) == expected);
  }
}

TEST_CASE("walking backwards ends with the batch that holds the log start") {
  ReaderFixture fixture;
  while (fixture.partition->segments().load()->size() < 3) fixture.append({.records = 3});
  must(fixture.partition->advance_log_start(7));
  CHECK(bases_below(fixture.partition, fixture.partition->high_watermark()).back() == 6);
}

TEST_CASE("an empty partition has nothing behind") {
  ReaderFixture fixture;
  CHECK(bases_below(fixture.partition, 0).empty());
}

TEST_CASE("walking backwards from outside the log is out of range") {
  ReaderFixture fixture;
  fixture.append();
  BackwardCursor cursor(fixture.partition);
  for (const Offset before : {Offset{-1}, Offset{2}}) {
    auto sought = cursor.seek(before);
    REQUIRE_FALSE(sought);
    CHECK(sought.error().code() == Errc::offset_out_of_range);
  }
}

TEST_CASE("walking backwards into damage says where it is") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 20; ++i) fixture.append();
  FetchCursor place(fixture.partition);
  must(place.seek(5));
  overwrite(fixture.log_path(0), place.position() + format::records_at + 3, "\xFF\xFF");
  BackwardCursor cursor(fixture.partition);
  must(cursor.seek(20));
  FetchedBatch batch;
  for (;;) {
    auto step = cursor.previous(batch);
    if (step) {
      REQUIRE(*step == FetchCursor::Step::batch);
      REQUIRE(batch.header.base_offset > 5);
      continue;
    }
    CHECK(step.error().code() == Errc::corrupt_record);
    CHECK(
        says(step.error().message(), {fixture.log_path(0), "position " + std::to_string(place.position())}));
    break;
  }
}

}  // namespace
}  // namespace seriatim::test
