#include <seriatim/record.hpp>

#include <type_traits>

#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

// One batch with the records that differ in what is null, empty and repeated.
void append_varied(const Engine& engine) {
  format::BatchBuilder builder;
  const std::vector<HeaderView> headers{
      {"a", BytesView("1")}, {"b", nullptr}, {"a", BytesView("2")}, {"", BytesView("")}};
  must(builder.append(
      {.key = BytesView("key"), .value = BytesView("value"), .timestamp_ms = 5, .headers = headers}));
  must(builder.append({.key = nullptr, .value = nullptr, .timestamp_ms = 6}));
  must(builder.append({.key = BytesView(""), .value = BytesView(""), .timestamp_ms = 7}));
  must(must(seriatim::detail::EngineImpl::of(engine)->partition("t", 0))->append(must(builder.frame({}))));
}

ConsumerRecords read_varied(const Engine& engine) {
  append_varied(engine);
  return must(must(engine.reader(t0)).read(0, 10));
}

TEST_CASE("a record view gives back what was appended, null apart from empty") {
  OpenedEngine opened;
  const auto records = read_varied(opened.engine);
  REQUIRE(records.count() == 3);
  CHECK(records[0].topic() == "t");
  CHECK(records[0].partition() == 0);
  CHECK(records[0].key().text() == "key");
  CHECK(records[0].value().text() == "value");
  CHECK(records[0].timestamp().time_since_epoch().count() == 5);
  CHECK(records[1].offset() == 1);
  CHECK(records[1].key().is_null());
  CHECK(records[1].value().is_null());
  CHECK_FALSE(records[2].key().is_null());
  CHECK(records[2].key().empty());
  CHECK_FALSE(records[2].value().is_null());
}

TEST_CASE("headers come in stored order, by index and by name, the last of a name winning") {
  OpenedEngine opened;
  const auto records = read_varied(opened.engine);
  const RecordView& record = records[0];
  REQUIRE(record.header_count() == 4);
  CHECK(record.header(0).key == "a");
  CHECK(record.header(0).value.text() == "1");
  CHECK(record.header(1).key == "b");
  CHECK(record.header(1).value.is_null());
  CHECK(record.header(3).key.empty());
  CHECK(record.header("a")->text() == "2");
  REQUIRE(record.header("b"));
  CHECK(record.header("b")->is_null());
  CHECK_FALSE(record.header("c"));
  CHECK(records[1].header_count() == 0);
  CHECK_FALSE(records[1].header("a"));
}

TEST_CASE("an owned copy has everything and outlives engine, reader and records") {
  std::vector<OwnedRecord> owned;
  {
    OpenedEngine opened;
    const auto records = read_varied(opened.engine);
    for (const RecordView& record : records) owned.push_back(record.to_owned());
  }
  CHECK(owned[0].topic_partition == t0);
  CHECK(owned[0].offset == 0);
  CHECK(owned[0].key == "key");
  CHECK(owned[0].value == "value");
  REQUIRE(owned[0].headers.size() == 4);
  CHECK(owned[0].headers[1].second == std::nullopt);
  CHECK(owned[0].headers[2] == std::pair<std::string, std::optional<std::string>>("a", "2"));
  CHECK(owned[1].key == std::nullopt);
  CHECK(owned[2].value == "");
}

TEST_CASE("records stay valid after consumer and engine are gone and the files are deleted") {
  ConsumerRecords records;
  for (const auto codec : {format::Codec::none, format::Codec::zstd}) {
    {
      OpenedEngine opened;
      append_batch(opened.engine, t0, {.records = 50, .frame = {.codec = codec}});
      auto consumer = must(opened.engine.consumer());
      must(consumer.assign({t0}));
      records = must(consumer.poll(no_wait));
    }
    REQUIRE(records.count() == 50);
    CHECK(records[49].value().text() == "v49");
    CHECK(records[49].topic() == "t");
    CHECK(records.partitions() == std::vector<TopicPartition>{t0});
  }
}

TEST_CASE("moving records keeps their views, and leaves nothing behind") {
  OpenedEngine opened;
  auto records = read_varied(opened.engine);
  const RecordView view = records[0];
  ConsumerRecords moved = std::move(records);
  CHECK(records.empty());  // NOLINT(bugprone-use-after-move): moved-from is documented as empty
  CHECK(records.next_offsets().empty());
  CHECK(moved.count() == 3);
  CHECK(view.value().text() == "value");
  records = std::move(moved);
  CHECK(records.count() == 3);
  CHECK(view.key().text() == "key");
}

TEST_CASE("the records of each partition are contiguous, and next_offsets says where to go on") {
  OpenedEngine opened(3);
  for (PartitionId p = 0; p < 2; ++p) append_batch(opened.engine, {"t", p}, {.records = 3 + p});
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign_topic("t"));
  const auto records = must(consumer.poll(no_wait));
  CHECK(records.count() == 7);
  CHECK(records.partitions() == std::vector<TopicPartition>{{"t", 0}, {"t", 1}});
  CHECK(records.records({"t", 0}).size() == 3);
  CHECK(records.records({"t", 1}).size() == 4);
  CHECK(records.records({"t", 1}).front().partition() == 1);
  CHECK(records.records({"t", 2}).empty());
  const TopicPartitionOffsets expected{{{"t", 0}, {.offset = 3}}, {{"t", 1}, {.offset = 4}}};
  CHECK(records.next_offsets() == expected);
}

TEST_CASE("empty records answer everything with nothing") {
  const ConsumerRecords records;
  CHECK(records.empty());
  CHECK(records.begin() == records.end());
  CHECK(records.partitions().empty());
  CHECK(records.records(t0).empty());
  CHECK(records.next_offsets().empty());
  const RecordView nothing;
  CHECK(nothing.topic().empty());
  CHECK(nothing.partition() == -1);
  CHECK(nothing.to_owned().offset == -1);
}

static_assert(std::is_trivially_copyable_v<RecordView>);
static_assert(!std::is_copy_constructible_v<ConsumerRecords>);

}  // namespace
}  // namespace seriatim::test
