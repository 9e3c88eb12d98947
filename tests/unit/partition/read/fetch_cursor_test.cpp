#include "partition/read/fetch_cursor.hpp"

#include <array>

#include "unit/partition/read/reader_fixture.hpp"
#include "unit/partition/tail/tailing_log_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::FetchCursor;
using partition::FetchedBatch;

std::vector<Offset> bases_from(FetchCursor& cursor, Offset bound) {
  std::vector<Offset> bases;
  FetchedBatch batch;
  while (must(cursor.peek(bound, true, batch)) == FetchCursor::Step::batch) {
    bases.push_back(batch.header.base_offset);
    cursor.advance(batch);
  }
  return bases;
}

TEST_CASE("a cursor reads every batch of every segment once, in order") {
  ReaderFixture fixture;
  std::vector<Offset> expected;
  while (fixture.partition->segments().load()->size() < 4)
    expected.push_back(fixture.append({.records = 3}).base_offset);
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(0));
  CHECK(bases_from(cursor, fixture.partition->high_watermark()) == expected);
  CHECK(cursor.next_offset() == fixture.partition->log_end_offset());
}

TEST_CASE("a seek stands before the batch that holds the offset, wherever that is") {
  ReaderFixture fixture;
  while (fixture.partition->segments().load()->size() < 4) fixture.append({.records = 3});
  FetchedBatch batch;
  for (Offset offset = 0; offset < fixture.partition->log_end_offset(); ++offset) {
    FetchCursor cursor(fixture.partition);
    must(cursor.seek(offset));
    REQUIRE(must(cursor.peek(fixture.partition->high_watermark(), true, batch)) == FetchCursor::Step::batch);
    CHECK(batch.header.base_offset == offset / 3 * 3);
  }
}

TEST_CASE("a cursor at the end goes on with what is appended later, also in a new segment") {
  ReaderFixture fixture;
  fixture.append();
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(1));
  CHECK(bases_from(cursor, 1).empty());
  fixture.append();
  must(fixture.partition->roll());
  fixture.append();
  CHECK(bases_from(cursor, fixture.partition->high_watermark()) == std::vector<Offset>{1, 2});
}

TEST_CASE("nothing at or above the bound is returned") {
  ReaderFixture fixture;
  for (int i = 0; i < 5; ++i) fixture.append({.records = 2});
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(0));
  CHECK(bases_from(cursor, 4) == std::vector<Offset>{0, 2});
}

TEST_CASE("an offset outside the log is answered with the valid range") {
  ReaderFixture fixture;
  fixture.fill(3);
  fixture.delete_below(fixture.segment_of(fixture.partition->log_end_offset() - 1)->base_offset());
  const Offset start = fixture.partition->log_start_offset();
  const Offset end = fixture.partition->log_end_offset();
  for (const Offset offset : {Offset{0}, start - 1, end + 1}) {
    FetchCursor cursor(fixture.partition);
    auto sought = cursor.seek(offset);
    REQUIRE_FALSE(sought);
    CHECK(sought.error().code() == Errc::offset_out_of_range);
    CHECK(says(sought.error().message(),
               {"topic-3", std::to_string(start) + " to " + std::to_string(end - 1)}));
    CHECK_FALSE(cursor.is_positioned());
  }
}

TEST_CASE("a cursor that the log start has passed says so instead of returning deleted records") {
  ReaderFixture fixture;
  fixture.fill(3);
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(0));
  must(fixture.partition->advance_log_start(2));
  FetchedBatch batch;
  auto step = cursor.peek(fixture.partition->high_watermark(), true, batch);
  REQUIRE_FALSE(step);
  CHECK(step.error().code() == Errc::offset_out_of_range);
}

TEST_CASE(
    "a damaged batch is reported with file, position, offset and where to go on, and going on there works") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 40; ++i) fixture.append();
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(10));
  const auto position = cursor.position();
  overwrite(fixture.log_path(0), position + format::records_at + 3, "\xFF\xFE");
  FetchedBatch batch;
  auto step = cursor.peek(fixture.partition->high_watermark(), true, batch);
  REQUIRE_FALSE(step);
  CHECK(step.error().code() == Errc::corrupt_record);
  const std::string& text = step.error().message();
  CHECK(says(text, {fixture.log_path(0), "position " + std::to_string(position), "offset 10 of topic-3",
                    "seek there"}));
  CHECK(fixture.world.counters.corrupt_batches.value() == 1);
  const std::string before_offset = "readable again from offset ";
  const Offset resume = std::stoll(text.substr(text.find(before_offset) + before_offset.size()));
  CHECK(resume > 10);
  must(cursor.seek(resume));
  CHECK(bases_from(cursor, fixture.partition->high_watermark()).size() ==
        static_cast<std::size_t>(40 - resume));
}

TEST_CASE(
    "a batch whose length is damaged stops the reader there, not the readers of what the index knows behind "
    "it") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 40; ++i) fixture.append();
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(10));
  overwrite(fixture.log_path(0), cursor.position() + format::length_at,
            std::string_view("\x7F\xFF\xFF\xFF", 4));
  FetchedBatch batch;
  CHECK_FALSE(cursor.peek(fixture.partition->high_watermark(), true, batch));
  must(cursor.seek(30));
  CHECK(bases_from(cursor, fixture.partition->high_watermark()).size() == 10);
}

TEST_CASE("damage ends where the next sound batch begins, not where the index knows one") {
  for (const std::size_t byte : {format::records_at + 3, format::length_at}) {
    CAPTURE(byte);
    ReaderFixture fixture(100'000);
    for (int i = 0; i < 40; ++i) fixture.append();
    FetchCursor cursor(fixture.partition);
    must(cursor.seek(10));
    overwrite(fixture.log_path(0), cursor.position() + byte, std::string_view("\x7F\xFF\xFF\xFF", 4));
    FetchedBatch batch;
    const auto step = cursor.peek(fixture.partition->high_watermark(), true, batch);
    REQUIRE_FALSE(step);
    CHECK(says(step.error().message(), {"readable again from offset 11:"}));
    must(cursor.seek(11));
    CHECK(bases_from(cursor, fixture.partition->high_watermark()).size() == 29);
  }
}

TEST_CASE("damage with nothing sound behind it in its segment resumes at the next segment") {
  ReaderFixture fixture;
  fixture.fill(2);
  const Offset second = fixture.partition->segments().load()->back()->base_offset();
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(second - 1));
  overwrite(fixture.log_path(0), cursor.position() + format::length_at,
            std::string_view("\x7F\xFF\xFF\xFF", 4));
  FetchedBatch batch;
  auto step = cursor.peek(fixture.partition->high_watermark(), true, batch);
  REQUIRE_FALSE(step);
  CHECK(says(step.error().message(), {"readable again from offset " + std::to_string(second)}));
}

TEST_CASE("a base offset that is not the expected one is damage, since no checksum covers it") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 5; ++i) fixture.append();
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(0));
  FetchedBatch batch;
  must(cursor.peek(5, true, batch));
  cursor.advance(batch);
  overwrite(fixture.log_path(0), cursor.position() + 7, "\x02");
  auto step = cursor.peek(5, true, batch);
  REQUIRE_FALSE(step);
  CHECK(step.error().code() == Errc::corrupt_record);
}

TEST_CASE("an index entry that points nowhere costs a longer walk, not a wrong record") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 40; ++i) fixture.append();
  const auto index = fixture.request.directory + "/" + format::file_name(0, format::FileKind::offset_index);
  for (std::uint64_t entry = 0; entry < 5; ++entry) overwrite(index, entry * 8 + 7, "\x01");
  FetchedBatch batch;
  for (Offset offset = 0; offset < 40; ++offset) {
    FetchCursor cursor(fixture.partition);
    must(cursor.seek(offset));
    REQUIRE(must(cursor.peek(40, true, batch)) == FetchCursor::Step::batch);
    CHECK(batch.header.base_offset == offset);
  }
}

TEST_CASE("a flipped count claims no offsets of the batches behind it") {
  ReaderFixture fixture(100'000);
  for (int i = 0; i < 40; ++i) fixture.append();
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(10));
  overwrite(fixture.log_path(0), cursor.position() + format::last_offset_delta_at + 3, "\x08");
  FetchedBatch batch;
  for (const Offset offset : {11, 15, 18, 19}) {
    must(cursor.seek(offset));
    REQUIRE(must(cursor.peek(40, true, batch)) == FetchCursor::Step::batch);
    CHECK(batch.header.base_offset == offset);
  }
  const auto sought = cursor.seek(10);
  CHECK((!sought || !cursor.peek(40, true, batch)));
}

TEST_CASE("a flipped length that ends with a later batch hides none, with gaps or without") {
  for (const bool may_have_gaps : {false, true}) {
    CAPTURE(may_have_gaps);
    ReaderFixture fixture(100'000);
    // A power of two, so that one more bit of a length makes it that of two batches.
    constexpr std::uint64_t batch_bytes = 128;
    fixture.append();
    const std::uint64_t plain_bytes = fixture.segment_of(0)->end_position();
    // Less one: from here on the length of the record takes two bytes.
    const std::string value = "value" + std::string(batch_bytes - plain_bytes - 1, 'v');
    for (int i = 1; i < 40; ++i) fixture.append({.value = value});
    REQUIRE(fixture.segment_of(0)->end_position() == plain_bytes + 39 * batch_bytes);
    const auto tailing =
        must(partition::TailingLog::open(fixture.world.environment, {.name = fixture.request.name,
                                                                     .directory = fixture.request.directory,
                                                                     .may_have_gaps = may_have_gaps}));
    FetchCursor cursor(tailing);
    must(cursor.seek(10));
    const auto length = static_cast<std::int32_t>(2 * batch_bytes - format::log_overhead);
    std::array<std::byte, 4> bytes{};
    base::store_be(bytes.data(), length);
    overwrite(fixture.log_path(0), cursor.position() + format::length_at, base::as_text(bytes));
    FetchedBatch batch;
    for (const Offset offset : {11, 12, 13}) {
      must(cursor.seek(offset));
      REQUIRE(must(cursor.peek(40, true, batch)) == FetchCursor::Step::batch);
      CHECK(batch.header.base_offset == offset);
    }
  }
}

TEST_CASE("checksums are only computed where they are asked for") {
  ReaderFixture fixture(100'000);
  fixture.append();
  overwrite(fixture.log_path(0), format::records_at + 3, "\xFF");
  FetchCursor cursor(fixture.partition);
  must(cursor.seek(0));
  FetchedBatch batch;
  CHECK(must(cursor.peek(1, false, batch)) == FetchCursor::Step::batch);
  CHECK_FALSE(cursor.peek(1, true, batch));
}

}  // namespace
}  // namespace seriatim::test
