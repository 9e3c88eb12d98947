// Idempotent producers: retries are recognised, also after a restart, and threads share one producer.
#include <doctest/doctest.h>

#include <thread>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

Producer idempotent(const Engine& engine, ProducerOptions options = {}) {
  options.enable_idempotence = true;
  return must(engine.producer(std::move(options)));
}

Producer named(const Engine& engine, const std::string& name, Acks acks = Acks::leader) {
  return must(engine.producer({.acks = acks, .name = name}));
}

RecordMetadata send_one(Producer& producer, const std::string& value, std::optional<Sequence> sequence = {}) {
  return must(producer.send_sync({.topic = "t", .value = value, .sequence = sequence}));
}

}  // namespace

TEST_CASE("INV-7: a record sent again with its sequence is stored once, and answered as the first time") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer producer = idempotent(engine);
  const auto first = send_one(producer, "a", 0);
  send_one(producer, "b", 1);
  const auto again = send_one(producer, "a", 0);
  CHECK_FALSE(first.duplicate);
  CHECK(again.duplicate);
  CHECK(again.offset == first.offset);
  CHECK(again.timestamp == first.timestamp);
  CHECK(read_values(engine, "t") == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a gap and a record older than the last five batches are refused") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer producer = idempotent(engine);
  for (Sequence i = 0; i < 7; ++i) send_one(producer, std::to_string(i), i);
  for (const Sequence wrong : {0, 1, 8, 100}) {
    const auto refused = producer.send_sync({.topic = "t", .value = "x", .sequence = wrong});
    CHECK(code_of(refused) == Errc::out_of_order_sequence_number);
  }
  CHECK(send_one(producer, "2", 2).duplicate);
  CHECK(read_values(engine, "t").size() == 7);
}

TEST_CASE(
    "INV-7: what is sent again is stored once for as long as its producer is remembered, however old it is") {
  constexpr std::int64_t day_ms = 24 * 3'600'000;
  const TempDir dir;
  base::ManualClock clock{1'700'000'000'000};
  const Timestamp event{std::chrono::milliseconds(clock.wall_ms() - 30 * day_ms)};
  for (int life = 0; life < 3; ++life) {
    Engine engine = open_engine_with(dir / "data", os::posix_vfs(), clock);
    if (life == 0) create_topic(engine, "t", 1, {{"retention.ms", "-1"}});
    Producer producer = named(engine, "relay");
    const auto forget = [&] {
      must(detail::EngineImpl::of(engine)->partition("t", 0))->expire_producers(clock.wall_ms() - day_ms);
    };
    const ProducerRecord record{.topic = "t", .value = "v", .timestamp = event, .sequence = 0};
    CHECK(must(producer.send_sync(record)).duplicate == (life > 0));
    forget();
    clock.advance_ms(day_ms / 4);
    forget();
    CHECK(must(producer.send_sync(record)).duplicate);
    must(engine.close());
  }
  CHECK(read_values(open_engine(dir / "data"), "t").size() == 1);
}

TEST_CASE("a named producer is recognised after a restart, clean or not") {
  const TempDir dir;
  ProducerId id = 0;
  for (int life = 0; life < 4; ++life) {
    Engine engine = open_engine(dir / "data");
    if (life == 0) create_topic(engine, "t");
    Producer producer = named(engine, "orders", Acks::all);
    if (life == 0) id = producer.producer_id().value();
    CHECK(producer.producer_id() == id);
    const auto last = must(producer.last_sequence({"t", 0}));
    CHECK(last.value_or(-1) == life - 1);
    if (life > 0) CHECK(send_one(producer, "again", life - 1).duplicate);
    CHECK_FALSE(send_one(producer, "value-" + std::to_string(life), life).duplicate);
    // Without a number the producer goes on where its name has stopped.
    if (life == 3) CHECK(send_one(producer, "counted").offset == 4);
    if (life % 2 == 0) must(engine.close());
  }
  const Engine engine = open_engine(dir / "data");
  CHECK(read_values(engine, "t") ==
        std::vector<std::string>{"value-0", "value-1", "value-2", "value-3", "counted"});
}

TEST_CASE("opening a name again fences its older holder") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer older = named(engine, "orders");
  send_one(older, "a");
  Producer newer = named(engine, "orders");
  const auto refused = older.send_sync({.topic = "t", .value = "late"});
  CHECK(code_of(refused) == Errc::producer_fenced);
  CHECK(refused.error().fatal());
  CHECK(message_of(refused).find("orders") != std::string::npos);
  send_one(newer, "b");
  CHECK(read_values(engine, "t") == std::vector<std::string>{"a", "b"});
}

TEST_CASE("threads that share an idempotent producer lose and repeat nothing") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t", 2);
  Producer producer = idempotent(engine, {.acks = Acks::leader});
  constexpr int threads = 4;
  constexpr int rounds = 500;
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t) {
    senders.emplace_back([&producer, t] {
      for (int i = 0; i < rounds; ++i) {
        const std::string value = std::to_string(t) + ":" + std::to_string(i);
        must(producer.send_sync({.topic = "t", .value = value, .partition = i % 2}));
      }
    });
  }
  for (auto& sender : senders) sender.join();
  for (PartitionId p = 0; p < 2; ++p) {
    std::vector<int> next(threads, p);
    const auto values = read_values(engine, "t", p);
    CHECK(values.size() == threads * rounds / 2);
    for (const auto& value : values) {
      auto& expected = next[static_cast<std::size_t>(value[0] - '0')];
      REQUIRE(value.substr(2) == std::to_string(expected));
      expected += 2;
    }
  }
}

TEST_CASE("batches of an idempotent producer are numbered: gathered, compressed, appended as one") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  {
    Producer gathering = idempotent(engine, {.acks = Acks::leader,
                                             .linger = std::chrono::milliseconds(5),
                                             .compression_type = CompressionType::lz4});
    for (int i = 0; i < 100; ++i) gathering.send({.topic = "t", .value = std::to_string(i)});
    must(gathering.flush());
    CHECK(must(gathering.last_sequence({"t", 0})) == 99);
  }
  Producer producer = idempotent(engine);
  const std::vector<Record> records(3, Record{.value = "r"});
  const auto first = must(producer.append({"t", 0}, records, 0));
  const auto again = must(producer.append({"t", 0}, records, 0));
  CHECK(again.duplicate);
  CHECK(again.base_offset == first.base_offset);
  CHECK(again.last_offset == first.last_offset);
  must(producer.append({"t", 0}, records));
  CHECK(must(producer.last_sequence({"t", 0})) == 5);
  CHECK(read_values(engine, "t").size() == 106);
}

TEST_CASE("sequences where there is no identity, and claims where there is one, are refused") {
  const TempDir dir;
  const Engine engine = open_engine(dir / "data");
  create_topic(engine, "t");
  Producer plain = must(engine.producer());
  CHECK(code_of(plain.send_sync({.topic = "t", .value = "x", .sequence = 0})) == Errc::invalid_state);
  CHECK(code_of(plain.last_sequence({"t", 0})) == Errc::invalid_state);
  CHECK_FALSE(plain.producer_id());
  Producer producer = idempotent(engine);
  CHECK(code_of(producer.send_sync({.topic = "t", .value = "x", .sequence = -1})) == Errc::invalid_argument);
  CHECK(code_of(producer.try_claim({"t", 0}, 10)) == Errc::invalid_state);
  CHECK(code_of(engine.producer({.name = std::string(256, 'n')})) == Errc::invalid_argument);
  CHECK(code_of(engine.producer({.name = std::string("a\0b", 3)})) == Errc::invalid_argument);
}

}  // namespace seriatim::test
