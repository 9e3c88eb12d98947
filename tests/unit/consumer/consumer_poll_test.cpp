#include <array>
#include <atomic>
#include <map>
#include <thread>

#include "support/allocation_counter.hpp"
#include "unit/api/reading_fixture.hpp"
#include "unit/api/writer_process.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a consumer over three segments with every codec gets every record once, in order") {
  OpenedEngine opened(1, {{"segment.bytes", "2000"}});
  const auto partition = must(seriatim::detail::EngineImpl::of(opened.engine)->partition("t", 0));
  for (int i = 0; partition->segments().load()->size() < 3; ++i) {
    append_batch(opened.engine, t0,
                 {.records = 1 + i % 25, .frame = {.codec = static_cast<format::Codec>(i % 5)}});
  }
  for (const std::size_t limit : {std::size_t{1}, std::size_t{7}, std::size_t{500}}) {
    auto consumer = must(opened.engine.consumer({.max_poll_records = limit}));
    must(consumer.assign({t0}));
    const auto all = drain(consumer);
    REQUIRE(all.size() == static_cast<std::size_t>(partition->log_end_offset()));
    for (std::size_t i = 0; i < all.size(); ++i) {
      REQUIRE(all[i].offset == static_cast<Offset>(i));
      REQUIRE(all[i].value == "v" + std::to_string(i));
    }
  }
}

TEST_CASE("partitions take turns: none waits longer than one round for the others") {
  OpenedEngine opened(3);
  for (PartitionId p = 0; p < 3; ++p) append_batch(opened.engine, {"t", p}, {.records = 30});
  auto consumer = must(opened.engine.consumer({.max_poll_records = 10}));
  must(consumer.assign_topic("t"));
  std::vector<PartitionId> turns;
  for (int i = 0; i < 9; ++i) {
    const auto records = must(consumer.poll(no_wait));
    REQUIRE(records.count() == 10);
    REQUIRE(records.partitions().size() == 1);
    turns.push_back(records[0].partition());
  }
  CHECK(turns == std::vector<PartitionId>{0, 1, 2, 0, 1, 2, 0, 1, 2});
}

TEST_CASE("a poll without records returns empty after its timeout, under every wait strategy") {
  OpenedEngine opened;
  for (const auto strategy : {WaitStrategy::block, WaitStrategy::yield, WaitStrategy::spin}) {
    auto consumer = must(opened.engine.consumer({.wait_strategy = strategy}));
    must(consumer.assign({t0}));
    CHECK(must(consumer.poll(no_wait)).empty());
    CHECK(must(consumer.poll(std::chrono::milliseconds(3))).empty());
    CHECK(must(consumer.poll(std::chrono::milliseconds(-3))).empty());
  }
}

TEST_CASE("a waiting poll gets what is appended meanwhile, under every wait strategy") {
  OpenedEngine opened;
  for (const auto strategy : {WaitStrategy::block, WaitStrategy::yield, WaitStrategy::spin}) {
    auto consumer = must(
        opened.engine.consumer({.auto_offset_reset = AutoOffsetReset::latest, .wait_strategy = strategy}));
    must(consumer.assign({t0}));
    const Offset end = must(consumer.position(t0));
    std::thread appender([&] {
      REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
      append_batch(opened.engine, t0);
    });
    const auto records = must(poll_when_free(consumer, std::chrono::milliseconds::max()));
    appender.join();
    REQUIRE(records.count() == 1);
    CHECK(records[0].offset() == end);
  }
}

TEST_CASE("wakeup before a poll ends it at once, once; during a poll too, under every wait strategy") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  for (const auto strategy : {WaitStrategy::block, WaitStrategy::yield, WaitStrategy::spin}) {
    auto consumer = must(opened.engine.consumer({.wait_strategy = strategy}));
    must(consumer.assign({t0}));
    consumer.wakeup();
    CHECK(code_of(consumer.poll(long_wait)) == Errc::wakeup);
    CHECK(must(consumer.poll(long_wait)).count() == 1);
    std::thread waker([&] {
      REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
      consumer.wakeup();
    });
    CHECK(code_of(poll_when_free(consumer, long_wait)) == Errc::wakeup);
    waker.join();
  }
}

TEST_CASE(
    "a damaged batch is an error with file, position and where to go on; records before it come first, and "
    "all after it come") {
  OpenedEngine opened;
  std::uint64_t position = 0;
  const auto partition = must(seriatim::detail::EngineImpl::of(opened.engine)->partition("t", 0));
  for (int i = 0; i < 400; ++i) {
    if (i == 20) position = partition->segments().load()->front()->end_position();
    append_batch(opened.engine, t0, {.value = "some longer value, so that the index gets entries "});
  }
  overwrite(log_path(opened.engine, t0), position + format::records_at + 10, "\xFF\xFF");
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  CHECK(must(consumer.poll(no_wait)).count() == 20);
  std::string text;
  for (int i = 0; i < 2; ++i) {
    auto damaged = consumer.poll(no_wait);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code() == Errc::corrupt_record);
    text = damaged.error().message();
    CHECK(says(text,
               {log_path(opened.engine, t0), "position " + std::to_string(position), "offset 20 of t-0"}));
    CHECK(must(consumer.position(t0)) == 20);
  }
  const std::string before_offset = "readable again from offset ";
  REQUIRE(says(text, {before_offset}));
  const Offset resume = std::stoll(text.substr(text.find(before_offset) + before_offset.size()));
  must(consumer.seek(t0, resume));
  const auto rest = drain(consumer);
  CHECK(rest.front().offset == resume);
  CHECK(rest.size() == static_cast<std::size_t>(400 - resume));
  CHECK(opened.engine.metrics().corrupt_batches > 0);
}

TEST_CASE("damage in one partition does not keep the others from being read") {
  OpenedEngine opened(2);
  for (PartitionId p = 0; p < 2; ++p) append_batch(opened.engine, {"t", p}, {.records = 5});
  overwrite(log_path(opened.engine, t0), format::records_at + 2, "\xFF");
  auto consumer = must(opened.engine.consumer({.max_poll_records = 1}));
  must(consumer.assign_topic("t"));
  int errors = 0;
  int records = 0;
  for (int i = 0; i < 20; ++i) {
    auto polled = consumer.poll(no_wait);
    errors += polled ? 0 : 1;
    if (polled) records += static_cast<int>(polled->count());
  }
  CHECK(records == 5);
  CHECK(errors >= 5);
}

TEST_CASE("unchecked checksums are a choice") {
  OpenedEngine opened;
  append_batch(opened.engine, t0);
  overwrite(log_path(opened.engine, t0), format::crc_at, "\xFF\xFF");
  auto consumer = must(opened.engine.consumer({.check_crcs = false}));
  must(consumer.assign({t0}));
  CHECK(must(consumer.poll(no_wait)).count() == 1);
}

TEST_CASE("a deleted topic ends its polls, sleeping ones too") {
  OpenedEngine opened;
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  std::thread deleter([&] {
    REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
    must(opened.engine.admin().delete_topic("t"));
  });
  CHECK(code_of(poll_when_free(consumer, long_wait)) == Errc::unknown_topic_or_partition);
  deleter.join();
  CHECK(code_of(consumer.poll(no_wait)) == Errc::unknown_topic_or_partition);
}

TEST_CASE("records that were polled survive retention, and what they hold is counted") {
  OpenedEngine opened(1, {{"segment.bytes", "1100"}});
  const auto partition = must(seriatim::detail::EngineImpl::of(opened.engine)->partition("t", 0));
  while (partition->segments().load()->size() < 3) append_batch(opened.engine, t0, {.records = 5});
  auto consumer = must(opened.engine.consumer({.max_poll_records = 5}));
  must(consumer.assign({t0}));
  auto records = must(consumer.poll(no_wait));
  must(opened.engine.admin().delete_records(t0, partition->log_end_offset()));
  must(opened.engine.admin().apply_retention("t"));
  CHECK_FALSE(std::filesystem::exists(log_path(opened.engine, t0)));
  for (std::size_t i = 0; i < 5; ++i) CHECK(records[i].value().text() == "v" + std::to_string(i));
  CHECK(opened.engine.metrics().pinned_deleted_bytes > 0);
  must(consumer.seek_to_end());
  CHECK(must(consumer.poll(no_wait)).empty());
  records = ConsumerRecords();
  CHECK(opened.engine.metrics().pinned_deleted_bytes == 0);
}

TEST_CASE("steady polling allocates nothing, uncompressed or compressed") {
  for (const auto codec : {format::Codec::none, format::Codec::lz4}) {
    CAPTURE(format::name(codec));
    OpenedEngine opened(2);
    for (int i = 0; i < 200; ++i)
      append_batch(opened.engine, {"t", i % 2}, {.records = 20, .frame = {.codec = codec}});
    auto consumer = must(opened.engine.consumer({.max_poll_records = 33}));
    must(consumer.assign_topic("t"));
    std::size_t seen = 0;
    for (int i = 0; i < 20; ++i) seen += must(consumer.poll(no_wait)).count();
    const auto before = allocations();
    for (int i = 0; i < 80; ++i) {
      const auto records = consumer.poll(no_wait);
      seen += records->count();
    }
    CHECK(allocations() == before);
    CHECK(seen == 3'300);
    drain(consumer);
    const auto idle = allocations();
    CHECK(consumer.poll(no_wait)->empty());
    CHECK(allocations() == idle);
  }
}

TEST_CASE("metrics count what was fetched") {
  OpenedEngine opened;
  append_batch(opened.engine, t0, {.records = 3});
  append_batch(opened.engine, t0, {.records = 4});
  auto consumer = must(opened.engine.consumer());
  must(consumer.assign({t0}));
  drain(consumer);
  const auto metrics = opened.engine.metrics();
  CHECK(metrics.fetched_batches == 2);
  CHECK(metrics.fetched_records == 7);
  CHECK(metrics.fetched_bytes == metrics.appended_bytes);
}

TEST_CASE("four threads append while two consumers poll: both get everything, in order") {
  OpenedEngine opened(2, {{"segment.bytes", "20000"}});
  constexpr int per_thread = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < per_thread; ++i) append_batch(opened.engine, {"t", t % 2}, {.records = 2});
    });
  }
  std::array<std::map<PartitionId, Offset>, 2> next;
  for (std::size_t c = 0; c < 2; ++c) {
    threads.emplace_back([&, c] {
      auto consumer = must(opened.engine.consumer({.max_poll_records = 50}));
      must(consumer.assign_topic("t"));
      for (int seen = 0; seen < 4 * per_thread * 2;) {
        const auto records = must(consumer.poll(long_wait));
        for (const RecordView& record : records) {
          if (record.offset() != next[c][record.partition()]++) return;
          ++seen;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& ends : next) {
    for (PartitionId p = 0; p < 2; ++p) CHECK(ends.at(p) == 2 * per_thread * 2);
  }
}

TEST_CASE(
    "a consumer that reads from the front over and over meets no error while segments are compacted and "
    "deleted under it") {
  OpenedEngine opened(1, {{"cleanup.policy", "compact,delete"}, {"segment.bytes", "2000"}});
  std::atomic<bool> is_over{false};
  std::string failure;
  std::thread reading([&] {
    auto consumer = must(opened.engine.consumer({.max_poll_records = 20}));
    must(consumer.assign({t0}));
    while (!is_over) {
      must(consumer.seek_to_beginning());
      Offset last = -1;
      for (;;) {
        auto records = consumer.poll(no_wait);
        if (!records) {
          failure = records.error().message();
          return;
        }
        if (records->empty()) break;
        for (const RecordView& record : *records) {
          if (record.offset() <= last) failure = "back to " + std::to_string(record.offset());
          last = record.offset();
        }
      }
    }
  });
  for (int round = 0; round < 15; ++round) {
    for (int i = 0; i < 60; ++i) append_batch(opened.engine, t0);
    must(opened.engine.admin().compact("t", true));
    if (round % 5 == 4) {
      must(opened.engine.admin().delete_records(t0, -1));
      must(opened.engine.admin().apply_retention("t"));
    }
  }
  is_over = true;
  reading.join();
  CHECK(failure == "");
}

TEST_CASE("a read-only consumer polls what another process appends while it does, across segments") {
  WriterProcess writer(2, {{"segment.bytes", "5000"}});
  const auto engine = open_engine(writer.directory(), {.mode = OpenMode::read_only});
  for (const auto strategy : {WaitStrategy::block, WaitStrategy::yield, WaitStrategy::spin}) {
    auto consumer = must(engine.consumer({.max_poll_records = 20, .wait_strategy = strategy}));
    must(consumer.assign_topic("t"));
    constexpr int batches = 300;
    constexpr int records_each = 3;
    const Offset before = must(consumer.end_offset(t0));
    writer.append_later(batches, {.records = records_each});
    std::array<Offset, 2> next{};
    while (next[0] + next[1] < 2 * before + batches * records_each) {
      const auto records = must(consumer.poll(long_wait));
      for (const RecordView& record : records)
        REQUIRE(record.offset() == next[static_cast<std::size_t>(record.partition())]++);
    }
    writer.finish_append();
  }
}

TEST_CASE("wakeup ends a poll that waits for another process's files") {
  WriterProcess writer;
  const auto engine = open_engine(writer.directory(), {.mode = OpenMode::read_only});
  auto consumer = must(engine.consumer());
  must(consumer.assign_topic("t"));
  std::thread waker([&] {
    REQUIRE(comes_true([&] { return code_of(consumer.seek_to_end()) == Errc::invalid_state; }));
    consumer.wakeup();
  });
  CHECK(code_of(poll_when_free(consumer, long_wait)) == Errc::wakeup);
  waker.join();
}

TEST_CASE("a read-only consumer of a topic that its writer deletes is told so") {
  WriterProcess writer;
  const auto engine = open_engine(writer.directory(), {.mode = OpenMode::read_only});
  auto consumer = must(engine.consumer());
  must(consumer.assign_topic("t"));
  writer.append({.records = 2});
  CHECK(must(consumer.poll(long_wait)).count() == 2);
  writer.delete_topic();
  CHECK(code_of(consumer.poll(long_wait)) == Errc::unknown_topic_or_partition);
}

}  // namespace
}  // namespace seriatim::test
