#include "partition/read/fetched_records.hpp"

#include "unit/partition/read/reader_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::FetchCursor;
using partition::FetchedBatch;

FetchedBatch first_batch(FetchCursor& cursor, bool check_crc = true) {
  FetchedBatch batch;
  must(cursor.seek(0));
  REQUIRE(must(cursor.peek(cursor.log().high_watermark(), check_crc, batch)) == FetchCursor::Step::batch);
  return batch;
}

TEST_CASE("an uncompressed section is the batch's own bytes") {
  ReaderFixture fixture;
  fixture.append({.records = 2});
  FetchCursor cursor(fixture.partition);
  const auto batch = first_batch(cursor);
  std::vector<std::byte> scratch;
  const auto section = must(partition::record_section(*fixture.partition, batch, scratch));
  CHECK(section.data() == batch.bytes.data() + format::records_at);
  CHECK(scratch.empty());
}

TEST_CASE("every codec's section decodes to its records") {
  for (const auto codec :
       {format::Codec::gzip, format::Codec::snappy, format::Codec::lz4, format::Codec::zstd}) {
    CAPTURE(format::name(codec));
    ReaderFixture fixture;
    fixture.append({.records = 20, .frame = {.codec = codec}});
    FetchCursor cursor(fixture.partition);
    const auto batch = first_batch(cursor);
    std::vector<std::byte> scratch;
    auto records = partition::records_of(batch.header,
                                         must(partition::record_section(*fixture.partition, batch, scratch)));
    format::DecodedRecord record;
    for (int i = 0; i < 20; ++i) {
      REQUIRE(records.next(record) == format::RecordCursor::Step::record);
      CHECK(record.value.text() == "value" + std::to_string(i));
    }
    CHECK(records.next(record) == format::RecordCursor::Step::end);
  }
}

TEST_CASE("a section that does not decompress is reported with its place and the offset behind it") {
  ReaderFixture fixture;
  fixture.append({.records = 5, .frame = {.codec = format::Codec::zstd}});
  overwrite(fixture.log_path(0), format::records_at + 5, "\xFF\xFF\xFF\xFF");
  FetchCursor cursor(fixture.partition);
  const auto batch = first_batch(cursor, false);
  std::vector<std::byte> scratch;
  auto section = partition::record_section(*fixture.partition, batch, scratch);
  REQUIRE_FALSE(section);
  CHECK(section.error().code() == Errc::corrupt_record);
  CHECK(says(section.error().message(),
             {fixture.log_path(0), "position 0", "offset 0 of topic-3", "offset 5: seek there"}));
  CHECK(fixture.world.counters.corrupt_batches.value() == 1);
}

TEST_CASE("records that do not parse are reported at the first one that does not") {
  ReaderFixture fixture;
  fixture.append({.records = 3});
  FetchCursor cursor(fixture.partition);
  const auto batch = first_batch(cursor);
  const Error error = partition::malformed_records(*fixture.partition, batch, 2);
  CHECK(error.code() == Errc::corrupt_record);
  CHECK(says(error.message(), {fixture.log_path(0), "offset 2 of topic-3", "next batch begins at offset 3"}));
}

}  // namespace
}  // namespace seriatim::test
