#include "unit/partition/writer_fixture.hpp"

#include <thread>

namespace seriatim::test {
namespace {

TEST_CASE("offsets are given out one after another, whoever appends and however many records a batch has") {
  WriterFixture f(100'000);
  f.open();
  constexpr int threads = 4;
  constexpr int batches = 100;
  std::vector<std::thread> writers;
  std::vector<std::vector<partition::PartitionAppend>> appended(threads);
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < batches; ++i) {
        auto bytes = make_batch({.records = 1 + (t + i) % 3});
        auto result = f.partition->append(format::framed_batch(bytes));
        if (result) appended[static_cast<std::size_t>(t)].push_back(*result);
      }
    });
  }
  for (auto& writer : writers) writer.join();
  std::map<Offset, Offset> ranges;
  for (const auto& of_thread : appended) {
    REQUIRE(of_thread.size() == batches);
    Offset last = -1;
    for (const auto& batch : of_thread) {
      CHECK(batch.base_offset > last);  // what a thread sends second lies behind what it sent first
      last = batch.last_offset;
      ranges[batch.base_offset] = last;
    }
  }
  Offset next = 0;
  for (const auto& [base, end] : ranges) {
    CHECK(base == next);
    next = end + 1;
  }
  CHECK(f.partition->log_end_offset() == next);
  CHECK(f.rows().size() == static_cast<std::size_t>(next));
  CHECK(f.partition->appended_batches() == threads * batches);
  CHECK(f.partition->appended_records() == static_cast<std::uint64_t>(next));
}

TEST_CASE(
    "a batch beyond max.message.bytes or segment.bytes is refused by the name of the limit, and nothing is "
    "touched") {
  WriterFixture f(1'000);
  f.request.config.max_message_bytes = 500;
  f.open();
  f.put("a", "1");
  auto large = make_batch({.size_bytes = 501});
  auto refused = f.partition->append(format::framed_batch(large));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::record_too_large);
  CHECK(says(refused.error().message(), {"501", "max.message.bytes (500)", "topic"}));
  TopicConfig config = f.partition->config();
  config.max_message_bytes = 5'000;
  f.partition->set_config(config);
  auto larger = make_batch({.size_bytes = 1'001});
  refused = f.partition->append(format::framed_batch(larger));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::record_too_large);
  CHECK(says(refused.error().message(), {"segment.bytes (1000)"}));
  CHECK(f.partition->log_end_offset() == 1);
  CHECK(f.segment_count() == 1);
}

TEST_CASE("a segment is rolled when the next batch would not fit, and its successor begins with that batch") {
  WriterFixture f(1'000);
  f.open();
  for (int i = 0; i < 2; ++i) f.put_batch(make_batch({.size_bytes = 500}));
  CHECK(f.segment_count() == 1);
  f.put_batch(make_batch({.size_bytes = 100}));
  CHECK(f.segment_bases() == std::vector<Offset>{0, 2});
  CHECK(std::filesystem::file_size(f.path(0)) == 1'000);
  CHECK(f.world->counters.rolled_segments.value() == 1);
  CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1, 2});
}

TEST_CASE("segment.ms counts in record time from the first batch of the segment; an old record never rolls") {
  WriterFixture f(100'000);
  f.request.config.segment_ms = 1'000;
  f.open();
  f.put_batch(make_batch({.timestamp_ms = t0_ms}));
  f.put_batch(make_batch({.timestamp_ms = t0_ms + 1'000}));
  f.put_batch(make_batch({.timestamp_ms = t0_ms - 9'000'000}));
  f.world->clock.advance_ms(9'000'000);  // not the clock's matter where records have timestamps
  f.put_batch(make_batch({.timestamp_ms = t0_ms + 5}));
  CHECK(f.segment_count() == 1);
  f.put_batch(make_batch({.timestamp_ms = t0_ms + 1'001}));
  CHECK(f.segment_bases() == std::vector<Offset>{0, 4});
}

TEST_CASE("segment.ms counts in clock time where records have no timestamps") {
  WriterFixture f(100'000);
  f.request.config.segment_ms = 1'000;
  f.open();
  f.put_batch(make_batch({.timestamp_ms = -1}));
  f.world->clock.advance_ms(1'000);
  f.put_batch(make_batch({.timestamp_ms = -1}));
  CHECK(f.segment_count() == 1);
  f.world->clock.advance_ms(1);
  f.put_batch(make_batch({.timestamp_ms = -1}));
  CHECK(f.segment_bases() == std::vector<Offset>{0, 2});
}

TEST_CASE(
    "a full disk refuses an append, keeps what was acknowledged, and lets appends go on once there is room") {
  for (const bool mapped_writes : {true, false}) {
    CAPTURE(mapped_writes);
    WriterFixture f(1'000);
    f.request.mapped_writes = mapped_writes;
    f.open();
    f.put("a", "1");
    f.put("b", "2");
    const auto before = f.rows();
    f.vfs.fail_after(0, Errc::storage_full);
    // Into the room that is allocated already an append still goes; the next segment needs more.
    Result<partition::PartitionAppend> refused = partition::PartitionAppend{};
    std::size_t accepted = 0;
    while ((refused = f.try_put({{"c", "3"}}))) ++accepted;
    CHECK(refused.error().code() == Errc::storage_full);
    CHECK(refused.error().outcome() == Outcome::not_written);
    const auto after = f.rows();
    REQUIRE(after.size() == before.size() + accepted);
    CHECK(std::equal(before.begin(), before.end(), after.begin()));
    f.vfs.heal();
    CHECK(f.put("d", "4").base_offset == static_cast<Offset>(after.size()));
    CHECK(f.rows().size() == after.size() + 1);
    f.close();
    f.open();
    CHECK(f.rows().size() == after.size() + 1);
    CHECK_FALSE(f.partition->damage());
  }
}

TEST_CASE("segment.bytes raised while the active segment is empty holds for it, and readers go on into it") {
  for (const bool mapped_writes : {true, false}) {
    CAPTURE(mapped_writes);
    WriterFixture f(1'000);
    f.request.mapped_writes = mapped_writes;
    f.open();
    f.put("a", "1");
    std::optional<partition::FetchCursor> cursor(std::in_place, f.partition);
    must(cursor->seek(0));
    CHECK(offsets_of(rows_from(*cursor)) == std::vector<Offset>{0});
    must(f.partition->roll());
    CHECK(rows_from(*cursor).empty());  // stands in the empty segment
    f.set_segment_bytes(100'000);
    const std::string large(5'000, 'v');
    CHECK(f.put("b", large).base_offset == 1);
    for (int i = 0; i < 5; ++i) f.put("c", large);
    CHECK(f.segment_bases() == std::vector<Offset>{0, 1});
    CHECK(offsets_of(rows_from(*cursor)) == std::vector<Offset>{1, 2, 3, 4, 5, 6});
    const auto rows = f.rows();
    cursor.reset();  // it holds the partition, which needs its world
    f.reopen_after_crash();
    CHECK(f.rows() == rows);
    CHECK_FALSE(f.partition->damage());
  }
}

TEST_CASE("a roll that fails at any step leaves a partition that goes on when the fault is gone") {
  int step = 0;
  for (bool failed = true; failed; ++step) {
    CAPTURE(step);
    REQUIRE(step < 100);
    WriterFixture f(100'000);
    f.open();
    f.put("a", "1");
    f.vfs.fail_after(step, Errc::storage_full);
    failed = !f.partition->roll();
    f.vfs.heal();
    CHECK(f.put("b", "2").base_offset == 1);
    must(f.partition->roll());
    f.put("c", "3");
    CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1, 2});
    f.reopen_after_crash();
    CHECK(offsets_of(f.rows()) == std::vector<Offset>{0, 1, 2});
    CHECK_FALSE(f.partition->damage());
  }
  CHECK(step > 5);
}

TEST_CASE("a claim is filled in place and gets the next offset; an abandoned one leaves no trace") {
  for (const bool mapped_writes : {true, false}) {
    CAPTURE(mapped_writes);
    WriterFixture f(100'000);
    f.request.mapped_writes = mapped_writes;
    f.open();
    f.put("a", "1");
    const auto batch = make_batch({.value = "claimed"});
    must(f.partition->claim(500));
    f.partition->abandon_claim();
    const auto room = must(f.partition->claim(500));
    REQUIRE(room.size() >= batch.size());
    std::copy(batch.begin(), batch.end(), room.begin());
    CHECK(f.partition->log_end_offset() == 1);
    CHECK(must(f.partition->finish_claim(format::framed_batch(room.first(batch.size())))).base_offset == 1);
    f.put("b", "2");
    const auto rows = f.rows();
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].value == "claimed");
  }
}

TEST_CASE("who holds a claim is told so instead of waiting for itself for ever") {
  WriterFixture f(100'000);
  f.open();
  must(f.partition->claim(100));
  const auto appended =
      f.partition->append({.bytes = f.builder.empty() ? must([&] {
                                                          must(f.builder.append({.key = BytesView("k")}));
                                                          return f.builder.frame({});
                                                        }())
                                                            .bytes
                                                      : base::MutableByteSpan()});
  REQUIRE_FALSE(appended);
  CHECK(appended.error().code() == Errc::invalid_state);
  CHECK(f.partition->claim(100).error().code() == Errc::invalid_state);
  f.partition->abandon_claim();
  f.put("a", "1");
}

TEST_CASE("flush.messages makes an append durable before it returns, once so many are not") {
  WriterFixture f(100'000);
  f.request.config.flush_messages = 3;
  f.open();
  f.put("a", "1");
  f.put("b", "2");
  CHECK(f.partition->durable_offset() == 0);
  f.put("c", "3");
  CHECK(f.partition->durable_offset() == 3);
}

TEST_CASE("an append after close or deletion says which of the two it was") {
  WriterFixture f(100'000);
  f.open();
  f.put("a", "1");
  must(f.partition->close());
  CHECK(f.try_put({{"b", "2"}}).error().code() == Errc::closed);
  f.open();
  f.partition->abandon();
  CHECK(f.try_put({{"b", "2"}}).error().code() == Errc::unknown_topic_or_partition);
  CHECK(f.partition->claim(10).error().code() == Errc::unknown_topic_or_partition);
}

}  // namespace
}  // namespace seriatim::test
