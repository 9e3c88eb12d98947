#include "format/batch/batch_rebuilder.hpp"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "format/batch/batch_builder.hpp"
#include "format/batch/batch_check.hpp"
#include "format/batch/record_section.hpp"
#include "unit/format/examples.hpp"

using namespace seriatim;
using namespace seriatim::format;
using seriatim::test::T;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

std::vector<KeptRecord> records_of(const test::Bytes& batch, test::Bytes& scratch) {
  const BatchHeader header = read_batch_header(batch.data());
  const Result<base::ByteSpan> section = record_section(batch, 1 << 20, scratch);
  REQUIRE(section);
  RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
  std::vector<KeptRecord> records;
  for (DecodedRecord record; cursor.next(record) == RecordCursor::Step::record;) {
    records.push_back(keep_record(header, record));
  }
  return records;
}

test::Bytes copy(const FramedBatch& batch) { return {batch.bytes.begin(), batch.bytes.end()}; }

}  // namespace

TEST_CASE("keeping nothing of B leaves the remnant of example K") {
  BatchRebuilder rebuilder;
  const Result<FramedBatch> remnant = rebuilder.rebuild(read_batch_header(test::example_b().data()), {}, {});
  REQUIRE(remnant);
  CHECK(test::to_hex(remnant->bytes) == test::to_hex(test::example_k()));
  CHECK(remnant->header.record_count == 0);
  CHECK(check_batch(remnant->bytes, 100) == BatchFault::none);
}

TEST_CASE("keeping the tombstone of B with a horizon gives example L") {
  const test::Bytes b = test::example_b();
  test::Bytes scratch;
  const std::vector<KeptRecord> records = records_of(b, scratch);
  BatchRebuilder rebuilder;
  const Result<FramedBatch> kept = rebuilder.rebuild(read_batch_header(b.data()), std::span(records).last(1),
                                                     {.delete_horizon_ms = T + day_ms});
  REQUIRE(kept);
  CHECK(test::to_hex(kept->bytes) == test::to_hex(test::example_l()));
}

TEST_CASE("a batch that keeps everything is the same batch") {
  for (const test::Bytes& batch : {test::example_a(), test::example_b(), test::example_c(), test::example_d(),
                                   test::example_e(), test::example_l()}) {
    test::Bytes scratch;
    BatchRebuilder rebuilder;
    const Result<FramedBatch> same =
        rebuilder.rebuild(read_batch_header(batch.data()), records_of(batch, scratch), {});
    REQUIRE(same);
    CHECK(test::to_hex(same->bytes) == test::to_hex(batch));
  }
}

TEST_CASE("a horizon stays until another is given, and goes with the last record") {
  const test::Bytes l = test::example_l();
  const BatchHeader header = read_batch_header(l.data());
  test::Bytes scratch;
  const std::vector<KeptRecord> records = records_of(l, scratch);
  CHECK(records.front().timestamp_ms == T - 3);
  BatchRebuilder rebuilder;
  const Result<FramedBatch> later = rebuilder.rebuild(header, records, {.delete_horizon_ms = T + 2 * day_ms});
  REQUIRE(later);
  CHECK(read_batch_header(later->bytes.data()).base_timestamp_ms == T + 2 * day_ms);
  const Result<FramedBatch> remnant = rebuilder.rebuild(header, {}, {});
  REQUIRE(remnant);
  const BatchHeader left = read_batch_header(remnant->bytes.data());
  CHECK_FALSE(left.has_delete_horizon());
  CHECK(left.base_timestamp_ms == no_timestamp_ms);
  CHECK(left.max_timestamp_ms == T - 3);
}

TEST_CASE("a marker may get a horizon and be emptied, and stays a control batch") {
  const test::Bytes d = test::example_d();
  const BatchHeader header = read_batch_header(d.data());
  test::Bytes scratch;
  const std::vector<KeptRecord> records = records_of(d, scratch);
  BatchRebuilder rebuilder;
  const Result<FramedBatch> stamped = rebuilder.rebuild(header, records, {.delete_horizon_ms = T + day_ms});
  REQUIRE(stamped);
  const BatchHeader with_horizon = read_batch_header(stamped->bytes.data());
  CHECK(with_horizon.attributes == 0x70);
  CHECK(with_horizon.max_timestamp_ms == T + 11);
  const Result<FramedBatch> emptied = rebuilder.rebuild(with_horizon, {}, {});
  REQUIRE(emptied);
  CHECK(read_batch_header(emptied->bytes.data()).attributes == 0x30);
  CHECK(check_batch(emptied->bytes, 104) == BatchFault::none);
}

TEST_CASE("dropping records moves neither offsets nor timestamps") {
  const test::Bytes b = test::example_b();
  test::Bytes scratch;
  const std::vector<KeptRecord> records = records_of(b, scratch);
  BatchRebuilder rebuilder;
  const Result<FramedBatch> kept =
      rebuilder.rebuild(read_batch_header(b.data()), std::span(records).subspan(1, 1), {});
  REQUIRE(kept);
  CHECK(kept->header.record_count == 1);
  CHECK(kept->header.last_offset_delta == 2);
  CHECK(kept->header.base_timestamp_ms == T + 5);
  CHECK(kept->header.max_timestamp_ms == T + 5);
  const test::Bytes batch = copy(*kept);
  test::Bytes other_scratch;
  const std::vector<KeptRecord> again = records_of(batch, other_scratch);
  REQUIRE(again.size() == 1);
  CHECK(again[0].offset_delta == 1);
  CHECK(again[0].timestamp_ms == T + 5);
  CHECK(again[0].value.text() == "v2");
}

TEST_CASE("the codec stays, the headers stay as they were stored") {
  for (const Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    const std::array<HeaderView, 2> headers{HeaderView{"h", "1"}, HeaderView{"h", {}}};
    BatchBuilder builder;
    REQUIRE(builder.append({.key = "a", .value = "dropped", .timestamp_ms = T}));
    REQUIRE(builder.append({.key = "b", .value = "kept", .timestamp_ms = T + 1, .headers = headers}));
    const Result<FramedBatch> framed = builder.frame({.codec = codec});
    REQUIRE(framed);
    const test::Bytes original = copy(*framed);
    test::Bytes scratch;
    const std::vector<KeptRecord> records = records_of(original, scratch);
    BatchRebuilder rebuilder;
    const Result<FramedBatch> kept =
        rebuilder.rebuild(read_batch_header(original.data()), std::span(records).last(1), {});
    REQUIRE(kept);
    CHECK(check_batch(kept->bytes, 0) == BatchFault::none);
    CHECK(read_batch_header(kept->bytes.data()).codec() == codec);
    test::Bytes other_scratch;
    const test::Bytes batch = copy(*kept);
    const std::vector<KeptRecord> again = records_of(batch, other_scratch);
    REQUIRE(again.size() == 1);
    CHECK(again[0].value.text() == "kept");
    HeaderCursor cursor(again[0].headers, again[0].header_count);
    HeaderView header;
    REQUIRE(cursor.next(header));
    CHECK(header.value.text() == "1");
    REQUIRE(cursor.next(header));
    CHECK(header.value.is_null());
    CHECK(cursor.is_finished());

    const Result<FramedBatch> remnant = rebuilder.rebuild(read_batch_header(original.data()), {}, {});
    REQUIRE(remnant);
    CHECK(remnant->bytes.size() == header_bytes);
    CHECK(read_batch_header(remnant->bytes.data()).codec() == Codec::none);
  }
}

TEST_CASE("under log append time the batch's timestamp stays every record's") {
  const test::Bytes f = test::example_f();
  test::Bytes scratch;
  std::vector<KeptRecord> records = records_of(f, scratch);
  CHECK(records[0].timestamp_ms == T + 123'456);
  // Also when the caller kept the time at which the record was made.
  for (const std::int64_t timestamp_ms : {T + 123'456, T}) {
    records[0].timestamp_ms = timestamp_ms;
    BatchRebuilder rebuilder;
    const Result<FramedBatch> kept = rebuilder.rebuild(read_batch_header(f.data()), records, {});
    REQUIRE(kept);
    const BatchHeader header = read_batch_header(kept->bytes.data());
    CHECK(header.uses_log_append_time());
    CHECK(header.max_timestamp_ms == T + 123'456);
    CHECK(header.record_timestamp_ms(0) == T + 123'456);
  }
}

TEST_CASE("records out of order, or of another batch, are refused") {
  const test::Bytes b = test::example_b();
  test::Bytes scratch;
  std::vector<KeptRecord> records = records_of(b, scratch);
  BatchRebuilder rebuilder;
  std::swap(records[0], records[1]);
  const Result<FramedBatch> swapped = rebuilder.rebuild(read_batch_header(b.data()), records, {});
  REQUIRE_FALSE(swapped);
  CHECK(swapped.error().code() == Errc::invalid_argument);
  CHECK(swapped.error().message().find("100") != std::string::npos);
  std::swap(records[0], records[1]);
  records[2].offset_delta = 3;
  CHECK_FALSE(rebuilder.rebuild(read_batch_header(b.data()), records, {}));
}

TEST_CASE("a batch that would outgrow the format is refused") {
  BatchHeader header = read_batch_header(test::example_b().data());
  const std::array<KeptRecord, 1> records{
      KeptRecord{.timestamp_ms = T, .value = BytesView(nullptr, batch_bytes_max)}};
  BatchRebuilder rebuilder;
  const Result<FramedBatch> large = rebuilder.rebuild(header, records, {});
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == Errc::record_too_large);
}
