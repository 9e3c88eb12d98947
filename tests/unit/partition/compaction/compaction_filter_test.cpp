#include "partition/compaction/compaction_filter.hpp"

#include "format/batch/record_section.hpp"
#include "unit/format/examples.hpp"
#include "unit/partition/compaction/compaction_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::CompactionFilter;
using partition::CompactionRules;
using partition::KeyMap;

class FilterFixture {
 public:
  FilterFixture() { rules.keys = &keys; }
  base::ByteSpan apply(const std::vector<std::byte>& batch) {
    return must(filter.apply(format::read_batch_header(batch.data()), batch));
  }
  void newest(const std::string& key, Offset offset) { REQUIRE(keys.put(base::as_bytes(key), offset)); }

  KeyMap keys{24 * 100};
  CompactionRules rules{.map_end = 1'000, .now_ms = T, .delete_retention_ms = day_ms};
  CompactionFilter filter{rules};
};

std::vector<std::byte> batch_of(const std::vector<std::pair<Text, Text>>& records,
                                const format::FrameOptions& options = {}, Offset base = 0) {
  format::BatchBuilder builder;
  for (const auto& [key, value] : records)
    must(builder.append({.key = view_of(key), .value = view_of(value), .timestamp_ms = T}));
  const auto framed = must(builder.frame(options));
  std::vector<std::byte> bytes(framed.bytes.begin(), framed.bytes.end());
  format::stamp_base_offset(bytes.data(), base);
  return bytes;
}

TEST_CASE("a batch that loses nothing is returned as it lies, also if its keys are not in the map") {
  FilterFixture f;
  const auto batch = batch_of({{"a", "1"}, {"b", "2"}});
  f.newest("a", 0);
  CHECK(f.apply(batch).data() == batch.data());
  CHECK(f.filter.removed_records() == 0);
}

TEST_CASE("a superseded record goes, its neighbours stay with their offsets, and it is counted") {
  FilterFixture f;
  const auto batch = batch_of({{"a", "1"}, {"b", "2"}, {"a", "3"}}, {}, 10);
  f.newest("a", 12);
  f.newest("b", 11);
  const auto kept = f.apply(batch);
  const auto header = format::read_batch_header(kept.data());
  CHECK(header.base_offset == 10);
  CHECK(header.last_offset() == 12);
  CHECK(header.record_count == 2);
  CHECK(f.filter.removed_records() == 1);
}

TEST_CASE("a batch of which nothing stays goes whole") {
  FilterFixture f;
  f.newest("a", 50);
  CHECK(f.apply(batch_of({{"a", "1"}})).empty());
  CHECK(f.filter.removed_records() == 1);
}

TEST_CASE("records without a key go; an empty key is a key") {
  FilterFixture f;
  CHECK(f.apply(batch_of({{Text(), "1"}})).empty());
  const auto batch = batch_of({{"", "1"}});
  CHECK(f.apply(batch).data() == batch.data());
}

TEST_CASE("what the map does not reach stays, with key or without") {
  FilterFixture f;
  f.rules.map_end = 11;
  f.newest("a", 500);
  const auto kept = f.apply(batch_of({{"a", "1"}, {"a", "2"}, {Text(), "3"}}, {}, 10));
  CHECK(format::read_batch_header(kept.data()).record_count == 2);
}

TEST_CASE("example K: what must survive without a record is Kafka's remnant, byte for byte") {
  FilterFixture f;
  f.newest("user-1", 200);
  CHECK(f.apply(example_b()).empty());
  f.rules.last_of_producers = {{example_producer_id, {.last_offset = 102, .epoch = 0}}};
  CHECK(to_hex(f.apply(example_b())) == to_hex(example_k()));
  f.rules.last_of_producers = {};
  f.rules.last_batch_base = 100;
  CHECK(to_hex(f.apply(example_b())) == to_hex(example_k()));
}

TEST_CASE("a remnant stays while it is needed and goes when it is not") {
  FilterFixture f;
  const auto remnant = example_k();
  f.rules.last_of_producers = {{example_producer_id, {.last_offset = 102, .epoch = 0}}};
  CHECK(f.apply(remnant).data() == remnant.data());
  f.rules.last_of_producers = {{example_producer_id, {.last_offset = 110, .epoch = 0}}};
  CHECK(f.apply(remnant).empty());
  f.rules.last_of_producers = {};
  CHECK(f.apply(remnant).empty());
}

TEST_CASE("example L: a tombstone kept for the first time gets its delete horizon, byte for byte as Kafka") {
  FilterFixture f;
  f.newest("user-1", 102);
  CHECK(to_hex(f.apply(example_b())) == to_hex(example_l()));
}

TEST_CASE("a batch that loses nothing is rewritten all the same to carry the horizon of its tombstone") {
  FilterFixture f;
  const auto kept = f.apply(batch_of({{"a", "1"}, {"b", Text()}}));
  const auto header = format::read_batch_header(kept.data());
  CHECK(header.record_count == 2);
  CHECK(header.has_delete_horizon());
  CHECK(header.base_timestamp_ms == T + day_ms);
  CHECK(header.max_timestamp_ms == T);
}

TEST_CASE("a tombstone stays until its horizon, then goes; the horizon never moves") {
  FilterFixture f;
  const auto stamped = example_l();
  f.rules.now_ms = T + day_ms - 1;
  CHECK(f.apply(stamped).data() == stamped.data());
  f.rules.now_ms = T + day_ms;
  CHECK(f.apply(stamped).empty());
}

TEST_CASE("the longest delete retention keeps a tombstone for ever") {
  FilterFixture f;
  f.rules.delete_retention_ms = std::numeric_limits<std::int64_t>::max();
  const auto stamped_view = f.apply(batch_of({{"a", "1"}, {"b", Text()}}));
  const std::vector<std::byte> stamped(stamped_view.begin(), stamped_view.end());
  const auto header = format::read_batch_header(stamped.data());
  CHECK(header.base_timestamp_ms == std::numeric_limits<std::int64_t>::max());
  CHECK(header.max_timestamp_ms == T);
  f.rules.now_ms = T + 1000 * day_ms;
  CHECK(f.apply(stamped).data() == stamped.data());
}

TEST_CASE("records with values stay when the tombstones of their batch go") {
  FilterFixture f;
  const auto stamped_view = f.apply(batch_of({{"a", "1"}, {"b", Text()}}));
  const std::vector<std::byte> stamped(stamped_view.begin(), stamped_view.end());
  f.rules.now_ms = T + day_ms;
  const auto kept = f.apply(stamped);
  const auto header = format::read_batch_header(kept.data());
  CHECK(header.record_count == 1);
  CHECK(header.last_offset_delta == 1);
  CHECK(header.max_timestamp_ms == T);
}

TEST_CASE("markers and records of transactions stay whatever the map says") {
  FilterFixture f;
  f.newest("a", 900);
  for (const auto& batch : {example_c(), example_d(), example_e()})
    CHECK(f.apply(batch).data() == batch.data());
  CHECK(f.filter.removed_records() == 0);
}

TEST_CASE("a rebuilt batch keeps its codec, and its records read the same") {
  for (const auto codec :
       {format::Codec::gzip, format::Codec::snappy, format::Codec::lz4, format::Codec::zstd}) {
    CAPTURE(format::name(codec));
    FilterFixture f;
    std::vector<std::pair<Text, Text>> records;
    for (int i = 0; i < 50; ++i)
      records.emplace_back("key-" + std::to_string(i), "value-" + std::to_string(i));
    for (int i = 0; i < 50; i += 2) f.newest("key-" + std::to_string(i), 500);
    const auto kept = f.apply(batch_of(records, {.codec = codec}));
    const auto header = format::read_batch_header(kept.data());
    CHECK(header.codec() == codec);
    REQUIRE(header.record_count == 25);
    std::vector<std::byte> scratch;
    format::RecordCursor cursor(must(format::record_section(kept, 1U << 20, scratch)), 25);
    format::DecodedRecord record;
    for (int i = 1; i < 50; i += 2) {
      REQUIRE(cursor.next(record) == format::RecordCursor::Step::record);
      CHECK(record.key.text() == "key-" + std::to_string(i));
      CHECK(record.value.text() == "value-" + std::to_string(i));
      CHECK(record.offset_delta == i);
    }
  }
}

TEST_CASE("a batch with a good checksum that does not decode is refused with its offset") {
  FilterFixture f;
  auto batch = batch_of({{"a", "1"}, {"b", "2"}}, {}, 42);
  auto header = format::read_batch_header(batch.data());
  header.record_count = 3;
  format::write_sealed_header(batch, header);
  const auto applied = f.filter.apply(header, batch);
  REQUIRE_FALSE(applied);
  CHECK(applied.error().code() == Errc::corrupt_record);
  CHECK(says(applied.error().message(), {"offset 42"}));
}

}  // namespace
}  // namespace seriatim::test
