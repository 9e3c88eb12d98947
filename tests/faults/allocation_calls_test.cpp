// Every call of the public API with an allocation that fails, each in turn: nothing is thrown, the error is
// out_of_memory, no acknowledged record is lost and none is there twice, and all goes on.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include <seriatim/flow/half_message.hpp>
#include <seriatim/flow/processor.hpp>

#include "faults/failing_new.hpp"
#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::milliseconds;

// Makes the call with the next allocation failing, until it needs none that fails. `call` does nothing but
// call: what it needs is made before.
template <class Call>
void sweep(const char* what, Call&& call) {
  CAPTURE(what);
  bool is_met = true;
  for (std::int64_t n = 0; is_met; ++n) {
    CAPTURE(n);
    Result<> answered = [&]() noexcept -> Result<> {
      const NewFails fails(n);
      auto answer = call();
      if (!answer.ok()) return answer.error();
      return {};
    }();
    is_met = NewFails::is_met();
    if (answered) continue;
    CAPTURE(answered.error().message());
    // Without a failed allocation it may still meet what the ones before have left: a topic that exists.
    if (is_met) CHECK(answered.error().code() == Errc::out_of_memory);
    REQUIRE(n < 100'000);
  }
}

// A sent record, and its outcome.
struct Sent {
  void note(std::string value, const Result<RecordMetadata>& outcome) {
    if (outcome) {
      CHECK(acknowledged.emplace(outcome->offset, std::move(value)).second);
    } else if (outcome.error().outcome() == Outcome::not_written) {
      refused.insert(std::move(value));
    }
  }
  void check(const Engine& engine, const std::string& topic) const {
    std::set<std::string> seen;
    std::map<Offset, std::string> found;
    for (const OwnedRecord& record : read_all(engine, topic)) {
      CAPTURE(record.offset);
      CHECK(seen.insert(*record.value).second);
      CHECK_FALSE(refused.contains(*record.value));
      found[record.offset] = *record.value;
    }
    for (const auto& [offset, value] : acknowledged) {
      CAPTURE(offset);
      CHECK(found[offset] == value);
    }
  }

  std::map<Offset, std::string> acknowledged{};
  std::set<std::string> refused{};
};

struct World {
  explicit World(ConfigMap config = {{"segment.bytes", "16384"}, {"index.interval.bytes", "100"}})
      : opened(1, std::move(config)) {}

  std::string next_value() { return std::to_string(count++) + std::string(900, 'v'); }
  // Sends until the allocation has failed, or for so long that it is none of a send or a roll.
  void send(Producer& producer, std::int64_t fails_at) {
    const NewFails none(-1);
    for (int i = 0; i < 40; ++i) {
      std::string value = next_value();
      const auto sent = [&]() noexcept {
        FailingNew::left = fails_at;
        auto outcome = producer.send_sync({.topic = "t", .value = value, .partition = 0});
        fails_at = FailingNew::left;
        FailingNew::left = -1;
        return outcome;
      }();
      records.note(std::move(value), sent);
      if (!sent) CHECK(sent.error().code() == Errc::out_of_memory);
      if (NewFails::is_met()) break;
    }
  }
  // The engine that met it, and the next one.
  void check() {
    Producer producer = must(opened.engine.producer());
    for (int i = 0; i < 40; ++i) {
      std::string value = next_value();
      records.note(value, must(producer.send_sync({.topic = "t", .value = value, .partition = 0})));
    }
    records.check(opened.engine, "t");
    must(opened.engine.close());
    const Engine engine = open_engine(opened.path());
    CHECK(detail::EngineImpl::of(engine)->was_clean);
    records.check(engine, "t");
    CHECK_FALSE(must(engine.admin().verify()).worst().has_value());
  }

  OpenedEngine opened;
  Sent records{};
  int count = 0;
};

TEST_CASE("memory runs out in a send, or in the roll it makes: nothing is lost, twice, or left behind") {
  for (const Acks acks : {Acks::leader, Acks::all}) {
    for (const auto codec : {CompressionType::uncompressed, CompressionType::lz4}) {
      World world;
      for (std::int64_t n = 0; n < 120; ++n) {
        CAPTURE(n);
        Producer producer = must(world.opened.engine.producer({.acks = acks, .compression_type = codec}));
        world.send(producer, n);
      }
      world.check();
    }
  }
}

TEST_CASE("memory runs out in a send of a producer that is remembered: its retries are recognised") {
  World world;
  for (std::int64_t n = 0; n < 60; ++n) {
    CAPTURE(n);
    Producer producer = must(world.opened.engine.producer({.name = "p" + std::to_string(n)}));
    world.send(producer, n);
  }
  world.check();
}

TEST_CASE("memory runs out in a claim: the partition is not left claimed") {
  World world;
  Producer producer = must(world.opened.engine.producer());
  const std::string value = world.next_value();
  sweep("claim", [&]() -> Result<> {
    auto claim = producer.try_claim(t0, value.size());
    if (!claim) return claim.error();
    claim->abort();
    return {};
  });
  world.check();
}

TEST_CASE("memory runs out where sends are gathered: each is told what became of it") {
  World world;
  Producer producer = must(world.opened.engine.producer({.linger = milliseconds(1'000), .batch_size = 4000}));
  for (std::int64_t n = 0; n < 60; ++n) {
    CAPTURE(n);
    std::vector<std::pair<std::string, DeliveryFuture>> futures;
    for (int i = 0; i < 6; ++i) {
      std::string value = world.next_value();
      auto future = [&]() noexcept {
        const NewFails fails(i == 5 ? n : -1);
        return producer.send({.topic = "t", .value = value, .partition = 0});
      }();
      futures.emplace_back(std::move(value), std::move(future));
    }
    must(producer.flush(std::chrono::minutes(1)));
    for (auto& [value, future] : futures) world.records.note(value, future.get());
  }
  must(producer.close());
  world.check();
}

TEST_CASE("memory runs out in a transaction: it is whole or not there, and the next one begins") {
  World world;
  const Engine& engine = world.opened.engine;
  std::set<std::string> committed;
  std::set<std::string> uncertain;
  int ends = 0;
  for (const Acks acks : {Acks::all, Acks::leader}) {
    for (std::int64_t n = 0; n < 150; ++n) {
      CAPTURE(n);
      auto producer = must(engine.transactional_producer(
          {.transactional_id = "id" + std::to_string(static_cast<int>(acks)), .acks = acks}));
      const std::string value = world.next_value();
      const std::string key = "last";
      const TopicPartitionOffsets offsets{{t0, {.offset = 0, .metadata = value.substr(0, 20)}}};
      const auto done = [&]() noexcept -> Result<> {
        const NewFails fails(n);
        auto transaction = producer.begin();
        if (!transaction) return transaction.error();
        if (auto sent = transaction->send({.topic = "t", .value = value}); !sent) return sent.error();
        if (auto put = transaction->state("s").put(key, value); !put) return put;
        if (auto told = transaction->send_offsets(offsets, {.group_id = "g"}); !told) return told;
        auto ended = transaction->commit();
        if (ended || ended.error().code() != Errc::out_of_memory) return ended;
        // The call that follows finishes it.
        FailingNew::left = -1;
        return transaction->commit();
      }();
      // Nothing is left open that would be in the way of the next one.
      must(must(producer.begin()).abort());
      if (done) {
        committed.insert(value);
        ++ends;
        CHECK(base::as_text(*must(must(engine.state("s")).get(key))) == value);
        CHECK(must(engine.admin().group_offsets("g"))[0].committed.metadata == value.substr(0, 20));
      } else {
        uncertain.insert(value);
        CHECK(done.error().code() == Errc::out_of_memory);
      }
    }
  }
  CHECK(ends > 0);
  const auto check = [&](const Engine& at) {
    std::set<std::string> seen;
    for (const OwnedRecord& record : read_all(at, "t")) {
      CHECK(seen.insert(*record.value).second);
      CHECK((committed.contains(*record.value) || uncertain.contains(*record.value)));
    }
    for (const std::string& value : committed) CHECK(seen.contains(value));
  };
  check(engine);
  must(engine.close());
  check(open_engine(world.opened.path()));
}

TEST_CASE("memory runs out in a poll: no record is skipped and none is shown twice") {
  World world;
  Producer producer = must(world.opened.engine.producer({.compression_type = CompressionType::lz4}));
  for (int i = 0; i < 3; ++i) world.send(producer, -1);
  const auto records = static_cast<Offset>(world.records.acknowledged.size());
  for (std::int64_t n = 0; n < 150; ++n) {
    CAPTURE(n);
    Consumer consumer = must(world.opened.engine.consumer({.max_poll_records = 7}));
    must(consumer.assign({t0}));
    Offset expected = 0;
    std::int64_t fails_at = n;
    while (expected < records) {
      const auto polled = [&]() noexcept {
        const NewFails fails(fails_at);
        auto answer = consumer.poll(milliseconds(0));
        fails_at = FailingNew::left;
        return answer;
      }();
      if (!polled) CHECK(polled.error().code() == Errc::out_of_memory);
      if (!polled) continue;
      for (const RecordView& record : *polled) {
        CHECK(record.offset() == expected);
        ++expected;
      }
    }
  }
}

TEST_CASE("memory runs out in any other call: an error, and the call works the next time") {
  World world;
  const Engine& engine = world.opened.engine;
  const Admin admin = engine.admin();
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  world.send(producer, -1);
  sweep("create_topic", [&] { return admin.create_topic({.name = "u", .partition_count = 2}); });
  sweep("create_partitions", [&] { return admin.create_partitions("u", 3); });
  const ConfigMap config{{"retention.ms", "1000000"}};
  sweep("alter_config", [&] { return admin.alter_config("u", config); });
  const std::vector<std::string> names{"retention.ms"};
  sweep("reset_config", [&] { return admin.reset_config("u", names); });
  sweep("list_topics", [&] { return admin.list_topics(); });
  sweep("describe_topic", [&] { return admin.describe_topic("t"); });
  const ConfigMap groups{{"retention.consumed.groups", "g"}, {"retention.unread.groups", "g,h"}};
  sweep("alter_config of an open topic", [&] { return admin.alter_config("t", groups); });
  sweep("describe_retention", [&] { return admin.describe_retention("t"); });
  sweep("list_offset", [&] { return admin.list_offset(t0, OffsetSpec::latest); });
  sweep("offset_for_time", [&] { return admin.offset_for_time(t0, Timestamp{}); });
  const TopicPartitionOffsets offsets{{t0, {.offset = 3}}};
  sweep("alter_group_offsets", [&] { return admin.alter_group_offsets("g", offsets); });
  sweep("list_groups", [&] { return admin.list_groups(); });
  sweep("group_offsets", [&] { return admin.group_offsets("g"); });
  sweep("group_lag", [&] { return admin.group_lag("g"); });
  const std::vector<TopicPartition> places{t0};
  sweep("delete_group_offsets", [&] { return admin.delete_group_offsets("g", places); });
  sweep("delete_group", [&] { return admin.delete_group("g"); });
  sweep("list_transactions", [&] { return admin.list_transactions(); });
  sweep("find_hanging_transactions", [&] { return admin.find_hanging_transactions(); });
  sweep("describe_producers", [&] { return admin.describe_producers(t0); });
  sweep("list_named_producers", [&] { return admin.list_named_producers(); });
  sweep("list_states", [&] { return admin.list_states(); });
  sweep("verify", [&] { return admin.verify(); });
  sweep("apply_retention", [&] { return admin.apply_retention("t"); });
  sweep("delete_records", [&] { return admin.delete_records(t0, 2); });
  sweep("checkpoint", [&] { return engine.flush(); });
  sweep("metrics", [&]() -> Result<Metrics> { return engine.metrics(); });
  sweep("state", [&] { return engine.state("s"); });
  sweep("producer", [&] { return engine.producer({.name = "p"}); });
  sweep("transactional_producer", [&] { return engine.transactional_producer({.transactional_id = "i"}); });
  sweep("consumer", [&] { return engine.consumer({.group_id = "g"}); });
  sweep("reader", [&] { return engine.reader(t0); });
  const LogReader reader = must(engine.reader(t0));
  sweep("read", [&] { return reader.read(5, 10); });
  sweep("read_backward", [&] { return reader.read_backward(9, 3); });
  sweep("fetch", [&] { return reader.fetch(5, 10'000); });
  Consumer consumer = must(engine.consumer({.group_id = "g"}));
  const std::vector<TopicPartition> assigned{t0};
  sweep("assign", [&] { return consumer.assign(assigned); });
  sweep("assign_topic", [&] { return consumer.assign_topic("t"); });
  sweep("seek", [&] { return consumer.seek(t0, 4); });
  sweep("seek_to_end", [&] { return consumer.seek_to_end(assigned); });
  sweep("position", [&] { return consumer.position(t0); });
  sweep("lag", [&] { return consumer.lag(t0); });
  sweep("commit_sync", [&] { return consumer.commit_sync(offsets); });
  sweep("commit_async", [&] { return consumer.commit_async(offsets); });
  sweep("committed", [&] { return consumer.committed(t0); });
  sweep("delete_topic", [&] { return admin.delete_topic("u"); });
  const Admin other = admin;
  sweep("unknown", [&]() -> Result<> {
    auto described = other.describe_topic("none");
    if (!described && described.error().code() == Errc::unknown_topic_or_partition) return {};
    return described ? Result<>() : Result<>(described.error());
  });
  sweep("compact", [&] { return admin.compact("t", false); });
  world.records.acknowledged.erase(0);
  world.records.acknowledged.erase(1);
  world.check();
}

TEST_CASE("memory runs out while half messages are prepared, decided and checked") {
  World world;
  const HalfMessagesOptions options{.name = "h", .checks_in_background = false};
  sweep("open", [&] { return HalfMessages::open(world.opened.engine, options); });
  HalfMessages half = must(HalfMessages::open(world.opened.engine, options));
  std::string id;
  sweep("prepare", [&]() -> Result<> {
    auto prepared = half.prepare({.topic = "t", .value = "half"});
    return prepared ? Result<>() : Result<>(prepared.error());
  });
  id = std::string(must(half.prepare({.topic = "t", .value = "half"})).id());
  sweep("list", [&] { return half.list(); });
  sweep("check", [&] { return half.check(); });
  sweep("commit", [&] { return half.commit(id); });
}

TEST_CASE(
    "memory runs out while a processor handles a batch exactly once: each record has one output in the end") {
  World world;
  create_topic(world.opened.engine, "out");
  Producer producer = must(world.opened.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 3; ++i) world.send(producer, -1);
  const ProcessorOptions options{.group_id = "g",
                                 .topics = {"t"},
                                 .delivery = Delivery::exactly_once,
                                 .retry_backoff = milliseconds(0),
                                 .consumer = {.max_poll_records = 2}};
  const ProcessorHandler handler = [](const RecordView& record, ProcessorOutput& output) {
    return output.send({.topic = "out", .value = record.value()});
  };
  // Copies are the caller's, and made before.
  const auto process = [&](std::int64_t fails_at) noexcept -> Result<std::size_t> {
    ProcessorOptions own = options;
    ProcessorHandler handles = handler;
    const NewFails fails(fails_at);
    auto processor = Processor::open(world.opened.engine, std::move(own), std::move(handles));
    if (!processor) return processor.error();
    return processor->run_once(milliseconds(0));
  };
  bool is_met = true;
  for (std::int64_t n = 0; is_met; n += SERIATIM_ALLOCATION_STEP) {
    CAPTURE(n);
    const auto processed = process(n);
    is_met = NewFails::is_met();
    REQUIRE(n < 100'000);
    if (!processed) CHECK(processed.error().code() == Errc::out_of_memory);
  }
  while (must(process(-1)) > 0) {
  }
  std::set<std::string> outputs;
  for (const std::string& value : read_values(world.opened.engine, "out"))
    CHECK(outputs.emplace(value).second);
  CHECK(outputs.size() == world.records.acknowledged.size());
}

TEST_CASE("memory runs out in a close: it closes all the same, and everything is there") {
  bool is_met = true;
  for (std::int64_t n = 0; is_met; n += SERIATIM_ALLOCATION_STEP) {
    CAPTURE(n);
    World world;
    Producer producer = must(world.opened.engine.producer());
    world.send(producer, -1);
    const auto closed = [&]() noexcept {
      const NewFails fails(n);
      return world.opened.engine.close();
    }();
    is_met = NewFails::is_met();
    if (!closed) CHECK(closed.error().code() == Errc::out_of_memory);
    const Engine engine = open_engine(world.opened.path());
    if (closed) CHECK(detail::EngineImpl::of(engine)->was_clean);
    world.records.check(engine, "t");
    CHECK_FALSE(must(engine.admin().verify()).worst().has_value());
  }
}

}  // namespace
}  // namespace seriatim::test
