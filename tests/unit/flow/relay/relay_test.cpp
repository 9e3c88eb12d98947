// `Relay`: what it copies, and where it begins and ends.
#include <seriatim/flow/relay.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <thread>

#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {
namespace {

Errc refusal(const RelayFixture& f, const std::function<void(RelayOptions&)>& change) {
  RelayOptions options = relaying();
  change(options);
  return code_of(Relay::open(f.engine, options));
}

}  // namespace

TEST_CASE("a relay into more partitions, or fewer, keeps each record once and the order per key") {
  for (const PartitionId to : {1, 2, 8, 13}) {
    CAPTURE(to);
    const RelayFixture f(5, to);
    f.produce(0, 1'000, 37);
    Relay relay = f.open();
    must(relay.run());
    CHECK(f.out() == f.in());
    CHECK(relay.progress().records == 1'000);
    CHECK(relay.progress().batches > 10);
    CHECK(relay.progress().is_caught_up);
    CHECK(f.lag() == 0);
    for (const OwnedRecord& record : committed_records(f.engine, "out"))
      CHECK(record.topic_partition.partition == partition_for_key(*record.key, to));
  }
}

TEST_CASE("a relay goes on where the one before it ended") {
  const RelayFixture f;
  f.produce(0, 100);
  {
    Relay relay = f.open();
    for (int i = 0; i < 3; ++i) CHECK(must(relay.run_once(std::chrono::milliseconds(0))) > 0);
    CHECK(relay.progress().records == 30);
  }
  f.produce(100, 150);
  Relay relay = f.open();
  CHECK(relay.progress().lag == 120);
  must(relay.run());
  CHECK(relay.progress().records == 120);
  CHECK(f.out() == f.in());
}

TEST_CASE("until caught up ends at what was there at open, and a live one goes on") {
  const RelayFixture f;
  f.produce(0, 50);
  RelayOptions options = relaying(7);
  Relay relay = f.open(options);
  f.produce(50, 60);
  must(relay.run());
  CHECK(relay.progress().is_caught_up);
  CHECK(relay.progress().records >= 50);
  const auto records = relay.progress().records;
  must(relay.run());
  CHECK(relay.progress().records == records);

  options.until_caught_up = false;
  Relay live = f.open(options);
  std::thread run([&] { must(live.run()); });
  f.produce(60, 100);
  CHECK(comes_true([&] { return records + live.progress().records == 100; }));
  live.stop();
  run.join();
  CHECK(f.out() == f.in());
  CHECK(code_of(live.run_once(std::chrono::milliseconds(0))) == Errc::closed);
  must(live.run());
}

TEST_CASE("until caught up of an empty source ends at once") {
  const RelayFixture f;
  must(f.open().run());
  CHECK(f.out().empty());
}

TEST_CASE("records of aborted transactions are never relayed, those of open ones when they commit") {
  const RelayFixture f(1, 2);
  TransactionalProducer producer = transactional(f.engine, "app", Acks::leader);
  commit_one(producer, "in", "committed");
  {
    Transaction aborted = must(producer.begin());
    send(aborted, "in", "aborted");
    must(aborted.abort());
  }
  Transaction open = must(producer.begin());
  send(open, "in", "open");
  Relay relay = f.open();
  must(relay.run());
  CHECK(relay.progress().records == 1);
  must(open.commit());
  must(f.open().run());
  CHECK(f.out().at("(null)").size() == 2);
  std::set<std::string> values;
  for (const OwnedRecord& record : committed_records(f.engine, "out"))
    values.insert(record.value.value_or(""));
  CHECK(values == std::set<std::string>{"committed", "open"});
}

TEST_CASE("a compacted source is relayed as it is") {
  const RelayFixture f(1, 3);
  create_topic(f.engine, "table", 2, {{"cleanup.policy", "compact"}});
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 100; ++i)
    must(producer.send_sync({.topic = "table", .key = std::to_string(i % 10), .value = std::to_string(i)}));
  must(f.engine.admin().compact("table", true));
  RelayOptions options = relaying(3);
  options.from = "table";
  Relay relay = f.open(options);
  must(relay.run());
  CHECK(f.out() == values_by_key(committed_records(f.engine, "table")));
  CHECK(relay.progress().records == 10);
}

TEST_CASE("options out of range are refused by name, before anything begins") {
  const RelayFixture f;
  CHECK(refusal(f, [](RelayOptions&) {}) == Errc{});
  CHECK(refusal(f, [](RelayOptions& o) { o.from.clear(); }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.to.clear(); }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.to = "in"; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.dead_letter_topic = "in"; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.name = std::string(201, 'n'); }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.name = std::string("a\0b", 3); }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.acks = Acks::none; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.batch_records = 0; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.batch_records = 1'000'001; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.batch_bytes = 0; }) == Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.linger = std::chrono::milliseconds(-1); }) ==
        Errc::invalid_argument);
  CHECK(refusal(f, [](RelayOptions& o) { o.transaction_timeout = std::chrono::milliseconds(0); }) ==
        Errc::invalid_transaction_timeout);
  CHECK(refusal(f, [](RelayOptions& o) { o.from = "none"; }) == Errc::unknown_topic_or_partition);
  CHECK(refusal(f, [](RelayOptions& o) { o.to = "none"; }) == Errc::unknown_topic_or_partition);
}

TEST_CASE("a relay that was moved from answers closed") {
  const RelayFixture f;
  Relay relay = f.open();
  const Relay taken = std::move(relay);
  CHECK(taken.group_id() == "relay:in:out");
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  CHECK(code_of(relay.run()) == Errc::closed);
  CHECK(code_of(relay.run_once(std::chrono::milliseconds(0))) == Errc::closed);
  CHECK(relay.progress().records == 0);
  CHECK(relay.group_id().empty());
  relay.stop();
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
}

}  // namespace seriatim::test
