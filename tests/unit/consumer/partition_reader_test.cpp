#include "consumer/partition_reader.hpp"

#include <algorithm>

#include "format/batch/control_record.hpp"
#include "support/random.hpp"
#include "unit/api/reading_fixture.hpp"

namespace seriatim::test {
namespace {

using consumer::FetchBudget;
using consumer::PartitionReader;
using detail::ConsumerRecordsImpl;

struct Feed {
  explicit Feed(const Engine& engine)
      : pool(std::make_shared<consumer::RecordPool>()),
        feed(must(seriatim::detail::EngineImpl::of(engine)->partition_log("t", 0)),
             std::make_shared<const TopicPartition>(t0), pool) {}

  Result<std::vector<Offset>> try_take(std::size_t records, std::size_t bytes = std::size_t{1} << 30) {
    auto out = pool->take_records();
    FetchBudget budget{.records_left = records, .bytes_left = bytes};
    auto taken = feed.take(budget, *out, feed.visible_end());
    std::vector<Offset> offsets;
    for (const auto& view : out->views.views()) {
      CHECK(view.value().text() == "v" + std::to_string(view.offset()));
      offsets.push_back(view.offset());
    }
    ConsumerRecordsImpl::recycle(std::move(out));
    if (!taken) return taken.error();
    CHECK(*taken == offsets.size());
    return offsets;
  }
  std::vector<Offset> take(std::size_t records, std::size_t bytes = std::size_t{1} << 30) {
    return must(try_take(records, bytes));
  }

  std::shared_ptr<consumer::RecordPool> pool;
  PartitionReader feed;
};

TEST_CASE(
    "records come once each, in order, however polls cut the batches, in three segments and every codec") {
  OpenedEngine opened(1, {{"segment.bytes", "3000"}});
  Random random("record_feed");
  const auto partition = must(seriatim::detail::EngineImpl::of(opened.engine)->partition("t", 0));
  while (partition->segments().load()->size() < 4) {
    append_batch(opened.engine, t0,
                 {.records = static_cast<int>(random.between(1, 30)),
                  .frame = {.codec = static_cast<format::Codec>(random.between(0, 4))}});
  }
  for (int round = 0; round < 50; ++round) {
    Feed feed(opened.engine);
    Offset next = random.between(0, partition->log_end_offset());
    feed.feed.seek(next);
    while (next < partition->log_end_offset()) {
      const auto limit = static_cast<std::size_t>(random.between(1, 40));
      const auto offsets = feed.take(limit, static_cast<std::size_t>(random.between(1, 2'000)));
      REQUIRE_FALSE(offsets.empty());
      REQUIRE(offsets.size() <= limit);
      for (const Offset offset : offsets) REQUIRE(offset == next++);
      REQUIRE(feed.feed.position() == next);
    }
    CHECK(feed.take(1).empty());
  }
}

TEST_CASE("the first batch comes whatever its size, a second one only if it fits") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 10});
  append_batch(opened.engine, t0, {.records = 10});
  Feed feed(opened.engine);
  CHECK(feed.take(100, 1).size() == 10);
  CHECK(feed.take(100, 1).size() == 10);
}

TEST_CASE("control batches and emptied batches are passed over, and the position goes behind them") {
  OpenedEngine opened;
  const auto partition = must(seriatim::detail::EngineImpl::of(opened.engine)->partition("t", 0));
  append_batch(opened.engine, t0);
  std::vector<std::byte> marker(format::marker_batch_bytes);
  format::FramedBatch framed;
  format::frame_marker(
      {.type = format::ControlType::commit, .producer_id = 1LL << 40, .producer_epoch = 0, .timestamp_ms = 1},
      marker, framed);
  must(partition->append(framed));
  append_batch(opened.engine, t0);
  std::vector<std::byte> emptied(format::header_bytes);
  format::write_batch_header(emptied.data(), {.last_offset_delta = 4});
  format::seal_batch(emptied);
  must(partition->append(format::framed_batch(emptied)));
  Feed feed(opened.engine);
  CHECK(feed.take(100) == std::vector<Offset>{0, 2});
  CHECK(feed.feed.position() == 8);
  CHECK_FALSE(feed.feed.has_unread());
}

TEST_CASE(
    "records before a malformed one are handed out, then it is an error at its offset, and seeking behind "
    "the batch goes on") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 2});
  format::BatchBuilder builder;
  for (const auto* value : {"v2", "v3", "v4"}) must(builder.append({.value = BytesView(value)}));
  const auto framed = must(builder.frame({}));
  std::vector<std::byte> section(framed.bytes.begin() + format::records_at, framed.bytes.end());
  section[section.size() - 2] = std::byte{0x7E};  // the third record's value length reaches beyond its end
  section[section.size() - 4] = std::byte{0x7E};
  append_raw_batch(opened.engine, t0, section, 3);
  append_batch(opened.engine, t0);
  Feed feed(opened.engine);
  CHECK(feed.take(100) == std::vector<Offset>{0, 1, 2, 3});
  for (int i = 0; i < 2; ++i) {
    auto taken = feed.try_take(100);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code() == Errc::corrupt_record);
    CHECK(says(taken.error().message(),
               {log_path(opened.engine, t0), "offset 4 of t-0", "next batch begins at offset 5"}));
    CHECK(feed.feed.position() == 4);
  }
  feed.feed.seek(5);
  CHECK(feed.take(100) == std::vector<Offset>{5});
}

TEST_CASE(
    "bytes behind the last record of a batch are an error too, when all its records have come, until a "
    "seek") {
  OpenedEngine opened;
  format::BatchBuilder builder;
  must(builder.append({.value = BytesView("v0")}));
  const auto framed = must(builder.frame({}));
  std::vector<std::byte> section(framed.bytes.begin() + format::records_at, framed.bytes.end());
  section.push_back(std::byte{0});
  append_raw_batch(opened.engine, t0, section, 1);
  Feed feed(opened.engine);
  CHECK(feed.take(1) == std::vector<Offset>{0});
  append_batch(opened.engine, t0);
  for (int i = 0; i < 2; ++i) {
    CHECK(feed.feed.has_unread());
    CHECK(code_of(feed.try_take(1)) == Errc::corrupt_record);
  }
  feed.feed.seek(1);
  CHECK(feed.take(1) == std::vector<Offset>{1});
}

TEST_CASE("a batch that does not decompress is an error at its offset") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 20, .frame = {.codec = format::Codec::gzip}});
  auto bytes = std::string(8, '\xFF');
  overwrite(log_path(opened.engine, t0), format::records_at, bytes);
  const auto partition = must(seriatim::detail::EngineImpl::of(opened.engine)->partition_log("t", 0));
  Feed feed(opened.engine);
  auto out = feed.pool->take_records();
  FetchBudget budget{.records_left = 10, .bytes_left = 1'000, .check_crcs = false};
  auto taken = feed.feed.take(budget, *out, feed.feed.visible_end());
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code() == Errc::corrupt_record);
  CHECK(says(taken.error().message(), {log_path(opened.engine, t0), "position 0", "offset 0 of t-0"}));
  ConsumerRecordsImpl::recycle(std::move(out));
}

TEST_CASE(
    "positions outside the log are out of range, one that delete_records passes in the middle of a batch "
    "too") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 10});
  Feed feed(opened.engine);
  feed.feed.seek(11);
  CHECK(code_of(feed.try_take(1)) == Errc::offset_out_of_range);
  feed.feed.seek(0);
  CHECK(feed.take(3).size() == 3);
  must(opened.engine.admin().delete_records(t0, 5));
  CHECK(code_of(feed.try_take(1)) == Errc::offset_out_of_range);
  feed.feed.seek(5);
  CHECK(feed.take(1) == std::vector<Offset>{5});
}

TEST_CASE("a feed of a deleted topic says that it was deleted") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  Feed feed(opened.engine);
  must(opened.engine.admin().delete_topic("t"));
  CHECK(feed.feed.has_unread());
  CHECK(code_of(feed.try_take(1)) == Errc::unknown_topic_or_partition);
}

}  // namespace
}  // namespace seriatim::test
