#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "support/mounted.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim {
namespace {

using test::code_of;
using test::create_topic;
using test::message_of;
using test::must;
using test::open_engine;
using test::open_engine_with;
using test::OpenedEngine;
using test::read_all;
using test::read_values;
using test::TempDir;

Timestamp stamp_of(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }

TEST_CASE("options out of range are refused with the range") {
  const OpenedEngine opened;
  const auto code = [&](ProducerOptions options) {
    return code_of(opened.engine.producer(std::move(options)));
  };
  CHECK(code({.linger = std::chrono::microseconds(-1)}) == Errc::invalid_argument);
  CHECK(code({.linger = std::chrono::hours(25)}) == Errc::invalid_argument);
  CHECK(code({.batch_size = 0}) == Errc::invalid_argument);
  CHECK(code({.batch_size = (16U << 20) + 1}) == Errc::invalid_argument);
  CHECK(code({.buffer_memory = 0}) == Errc::invalid_argument);
  CHECK(code({.max_block = std::chrono::milliseconds(-1)}) == Errc::invalid_argument);
  CHECK(code({.compression_type = CompressionType::producer}) == Errc::invalid_argument);
  CHECK_FALSE(
      opened.engine.producer({.compression_type = CompressionType::gzip, .compression_level = 99}).ok());
  CHECK(message_of(opened.engine.producer({.batch_size = 0})).find("1 to 16777216") != std::string::npos);
}

TEST_CASE("a record is stored with everything it has: null and empty differ") {
  const OpenedEngine opened;
  Producer producer = must(opened.engine.producer());
  const HeaderView headers[] = {{"h", "1"}, {"h", BytesView()}, {"empty", ""}};
  must(producer.send_sync(
      {.topic = "t", .key = "k", .value = "v", .timestamp = stamp_of(1234), .headers = headers}));
  must(producer.send_sync({.topic = "t", .key = "", .value = BytesView()}));
  const auto records = read_all(opened.engine, "t");
  REQUIRE(records.size() == 2);
  CHECK(records[0].key == "k");
  CHECK(records[0].value == "v");
  CHECK(records[0].timestamp == stamp_of(1234));
  REQUIRE(records[0].headers.size() == 3);
  CHECK(records[0].headers[0] == std::pair<std::string, std::optional<std::string>>{"h", "1"});
  CHECK(records[0].headers[1].second == std::nullopt);
  CHECK(records[0].headers[2].second == "");
  CHECK(records[1].key == "");
  CHECK(records[1].value == std::nullopt);
}

TEST_CASE("append stores its records as one batch") {
  const OpenedEngine opened;
  for (const auto codec : {CompressionType::uncompressed, CompressionType::gzip, CompressionType::snappy,
                           CompressionType::lz4, CompressionType::zstd}) {
    CAPTURE(static_cast<int>(codec));
    Producer producer = must(opened.engine.producer({.compression_type = codec}));
    const Offset first = must(opened.engine.admin().list_offset({"t", 0}, OffsetSpec::latest));
    const std::uint64_t batches = opened.engine.metrics().appended_batches;
    const std::vector<Record> records{{.value = "a", .timestamp = stamp_of(5)},
                                      {.value = "b", .timestamp = stamp_of(9)},
                                      {.value = "c", .timestamp = stamp_of(7)}};
    const AppendResult result = must(producer.append({"t", 0}, records));
    CHECK(result.base_offset == first);
    CHECK(result.last_offset == first + 2);
    CHECK(result.timestamp == stamp_of(9));
    CHECK(opened.engine.metrics().appended_batches == batches + 1);
  }
  CHECK(read_values(opened.engine, "t").size() == 15);
}

TEST_CASE("append with acks=none gives no offset, with acks=all makes durable") {
  const OpenedEngine opened;
  const std::vector<Record> records{{.value = "a"}};
  Producer none = must(opened.engine.producer({.acks = Acks::none}));
  CHECK(must(none.append({"t", 0}, records)).base_offset == -1);
  CHECK(must(none.send_sync({.topic = "t", .value = "b"})).offset == -1);
  CHECK(must(opened.engine.admin().describe_topic("t")).partitions[0].durable_offset == 0);
  Producer all = must(opened.engine.producer());
  CHECK(must(all.append({"t", 0}, records)).base_offset == 2);
  CHECK(must(opened.engine.admin().describe_topic("t")).partitions[0].durable_offset == 3);
}

TEST_CASE("a refused append leaves nothing in the log") {
  const OpenedEngine opened(1, {{"max.message.bytes", "1000"}});
  create_topic(opened.engine, "table", 1, {{"cleanup.policy", "compact"}});
  Producer producer = must(opened.engine.producer());
  const std::string large(1000, 'x');
  CHECK(code_of(producer.append({"t", 0}, {})) == Errc::invalid_argument);
  CHECK(code_of(producer.append({"no", 0}, std::vector<Record>{{.value = "x"}})) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(producer.append({"t", 1}, std::vector<Record>{{.value = "x"}})) ==
        Errc::unknown_topic_or_partition);
  const auto too_large = producer.append({"t", 0}, std::vector<Record>{{.value = "x"}, {.value = large}});
  CHECK(code_of(too_large) == Errc::record_too_large);
  CHECK(too_large.error().outcome() == Outcome::not_written);
  CHECK(code_of(producer.append({"t", 0}, std::vector<Record>{{.value = "x", .timestamp = stamp_of(-2)}})) ==
        Errc::invalid_timestamp);
  CHECK(code_of(producer.append({"table", 0}, std::vector<Record>{{.key = "k", .value = "x"},
                                                                  {.value = "x"}})) == Errc::invalid_record);
  CHECK(code_of(producer.send_sync({.topic = "table", .value = "x"})) == Errc::invalid_record);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = large})) == Errc::record_too_large);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "x", .timestamp = stamp_of(-2)})) ==
        Errc::invalid_timestamp);
  CHECK(read_values(opened.engine, "t").empty());
  CHECK(read_values(opened.engine, "table").empty());
  CHECK(opened.engine.metrics().refused_appends == 9);
  CHECK(must(producer.send_sync({.topic = "t", .value = "x", .timestamp = no_timestamp})).offset == 0);
}

TEST_CASE("a refused batch names each bad record, with its index and the reason") {
  const OpenedEngine opened;
  create_topic(opened.engine, "table", 1, {{"cleanup.policy", "compact"}});
  Producer producer = must(opened.engine.producer());
  std::vector<Record> records{{.key = "k", .value = "fine"},
                              {.value = "no key"},
                              {.key = "k", .value = "early", .timestamp = stamp_of(-7)},
                              {.key = "k", .value = "no time", .timestamp = stamp_of(-1)},
                              {.value = "no key"}};
  const auto refused = producer.append({"table", 0}, records);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_record);
  const std::string& message = refused.error().message();
  for (const char* const part :
       {"record 1 has no key", "record 2 has the negative timestamp -7", "record 4 has no key"})
    CHECK(message.find(part) != std::string::npos);
  for (const char* const part : {"record 0 ", "record 3 "}) CHECK(message.find(part) == std::string::npos);
  records.assign(30, {.key = "k", .value = "early", .timestamp = stamp_of(-7)});
  const auto many = producer.append({"table", 0}, records);
  REQUIRE_FALSE(many);
  CHECK(many.error().code() == Errc::invalid_timestamp);
  CHECK(many.error().message().find("and 10 more") != std::string::npos);
  CHECK(read_values(opened.engine, "table").empty());
}

TEST_CASE("a topic's compression.type overrules the producer's") {
  const OpenedEngine opened(1, {{"compression.type", "zstd"}});
  create_topic(opened.engine, "plain", 1, {{"compression.type", "uncompressed"}});
  const std::string value(10'000, 'x');
  Producer plain = must(opened.engine.producer());
  Producer zipped = must(opened.engine.producer({.compression_type = CompressionType::gzip}));
  const auto bytes_of = [&](const std::string& topic) {
    return must(opened.engine.admin().describe_topic(topic)).partitions[0].size_bytes;
  };
  must(plain.send_sync({.topic = "t", .value = value}));
  must(plain.append({"t", 0}, std::vector<Record>{{.value = value}}));
  CHECK(bytes_of("t") < 1000);
  must(zipped.send_sync({.topic = "plain", .value = value}));
  CHECK(bytes_of("plain") > 10'000);
  CHECK(read_values(opened.engine, "t") == std::vector<std::string>{value, value});
}

TEST_CASE("on a LogAppendTime topic the engine's clock stamps the record, whatever the producer said") {
  const TempDir directory;
  base::ManualClock clock(5'000'000);
  const Engine engine = open_engine_with(directory / "data", os::posix_vfs(), clock);
  create_topic(engine, "t", 1, {{"message.timestamp.type", "LogAppendTime"}});
  Producer direct = must(engine.producer());
  CHECK(must(direct.send_sync({.topic = "t", .value = "a", .timestamp = stamp_of(7)})).timestamp ==
        stamp_of(5'000'000));
  CHECK(must(direct.append({"t", 0}, std::vector<Record>{{.value = "b", .timestamp = stamp_of(7)}}))
            .timestamp == stamp_of(5'000'000));
  Producer lingering = must(engine.producer({.linger = std::chrono::hours(1)}));
  DeliveryFuture later = lingering.send({.topic = "t", .value = "c", .timestamp = stamp_of(7)});
  clock.advance_ms(1000);
  must(lingering.flush());
  CHECK(must(later.get()).timestamp == stamp_of(5'001'000));
  const auto records = read_all(engine, "t");
  REQUIRE(records.size() == 3);
  CHECK(records[0].timestamp == stamp_of(5'000'000));
  CHECK(records[1].timestamp == stamp_of(5'000'000));
  CHECK(records[2].timestamp == stamp_of(5'001'000));
}

TEST_CASE("a full disk is an error that says not written, and nothing acknowledged is lost") {
  bool was_full = false;
  const bool mounted = test::with_mounted("tmpfs", "size=24m", [&](const std::string& root) {
    std::size_t acknowledged = 0;
    const std::string value(100'000, 'x');
    {
      // Small journal files: one of the usual length would take what is won back.
      auto engine = Engine::open(root + "/data", {.journal_file_bytes = 1U << 20});
      CHECK(engine.ok());
      if (!engine) return;
      CHECK(engine->admin().create_topic({.name = "t", .config = {{"segment.bytes", "4MiB"}}}).ok());
      auto producer = engine->producer();
      for (int i = 0; i < 1000 && !was_full; ++i) {
        const auto sent = producer->send_sync({.topic = "t", .value = value});
        if (sent) {
          ++acknowledged;
        } else {
          was_full = true;
          CHECK(sent.error().code() == Errc::storage_full);
          CHECK(sent.error().outcome() == Outcome::not_written);
          CHECK(sent.error().retriable());
        }
      }
      CHECK(was_full);
      // Space can be won back.
      CHECK(engine->admin().delete_records({"t", 0}, static_cast<Offset>(acknowledged) / 2).ok());
      CHECK(engine->admin().apply_retention("t").ok());
      // While the background thread gives up the reserve for a checkpoint, appends that need blocks are
      // refused: they go on by themselves when it is done.
      auto again = producer->send_sync({.topic = "t", .value = value});
      for (int tries = 0; tries < 600 && !again && again.error().code() == Errc::storage_full; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        again = producer->send_sync({.topic = "t", .value = value});
      }
      CHECK(again.ok());
      if (again) CHECK(again->offset == static_cast<Offset>(acknowledged));
    }
    auto engine = Engine::open(root + "/data");
    CHECK(engine.ok());
    if (!engine) return;
    CHECK(engine->admin().list_offset({"t", 0}, OffsetSpec::latest).value_or(-1) ==
          static_cast<Offset>(acknowledged) + 1);
  });
  if (!mounted) MESSAGE("not run: mounting a small file system needs root");
}

TEST_CASE("many threads send to many partitions: nothing is lost, and each thread's order is kept") {
  constexpr int thread_count = 4;
  constexpr int per_thread = 300;
  for (const int linger_us : {0, 200}) {
    const OpenedEngine opened(3);
    Producer producer = must(opened.engine.producer(
        {.acks = Acks::leader, .linger = std::chrono::microseconds(linger_us), .batch_size = 500}));
    std::vector<std::thread> threads;
    std::atomic<int> failed{0};
    for (int t = 0; t < thread_count; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < per_thread; ++i) {
          const std::string value = std::to_string(i);
          const std::string key = std::to_string(t);
          auto sent = producer.send({.topic = "t", .key = key, .value = value, .partition = i % 3});
          if (linger_us == 0 && !sent.get()) ++failed;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    must(producer.flush());
    CHECK(failed == 0);
    std::size_t total = 0;
    for (PartitionId partition = 0; partition < 3; ++partition) {
      std::vector<int> next(thread_count, partition);
      for (const auto& record : read_all(opened.engine, "t", partition)) {
        int& expected = next[std::stoul(*record.key)];
        CHECK(record.value == std::to_string(expected));
        expected += 3;
        ++total;
      }
    }
    CHECK(total == thread_count * per_thread);
  }
}

}  // namespace
}  // namespace seriatim
