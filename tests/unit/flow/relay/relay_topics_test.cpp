// `Relay`: topics, partitions, positions and other relays that change while it lives.
#include <seriatim/flow/relay.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {
namespace {

constexpr std::chrono::milliseconds at_once{0};

std::size_t drain(Relay& relay) {
  std::size_t taken = 0;
  for (int quiet = 0; quiet < 2; ++quiet) {
    const std::size_t now = must(relay.run_once(at_once));
    if (now > 0) quiet = 0;
    taken += now;
  }
  return taken;
}

}  // namespace

TEST_CASE("partitions that the source gets are relayed, those that the target gets are used") {
  const RelayFixture f(1, 1);
  f.produce(0, 50);
  Relay relay = f.open();
  CHECK(drain(relay) == 50);
  must(f.engine.admin().create_partitions("in", 4));
  must(f.engine.admin().create_partitions("out", 6));
  f.produce(50, 150);
  CHECK(drain(relay) == 100);
  CHECK(f.lag() == 0);
  for (PartitionId i = 1; i < 6; ++i) {
    const auto records = read_all(f.engine, "out", i);
    for (const OwnedRecord& record : records) CHECK(partition_for_key(*record.key, 6) == i);
  }
  // In the order of each partition of the source.
  std::map<std::string, Values> in = f.in();
  std::map<std::string, Values> out = f.out();
  for (auto* const values : {&in, &out}) {
    for (auto& [key, of_key] : *values) std::erase(of_key, "(in two partitions)");
  }
  for (auto& [key, values] : out) {
    CHECK(values.size() == in[key].size());
    for (auto* const of_key : {&values, &in[key]}) std::sort(of_key->begin(), of_key->end());
    CHECK(values == in[key]);
  }
}

TEST_CASE("a deleted source or target is an error that names it, and so is one that was created anew") {
  for (const bool is_source : {true, false}) {
    const std::string topic = is_source ? "in" : "out";
    CAPTURE(topic);
    const RelayFixture f;
    f.produce(0, 10);
    Relay relay = f.open();
    CHECK(drain(relay) == 10);
    must(f.engine.admin().delete_topic(topic));
    auto ran = relay.run_once(at_once);
    CHECK(code_of(ran) == Errc::unknown_topic_or_partition);
    CHECK(message_of(ran).find(topic) != std::string::npos);
    create_topic(f.engine, topic, 2);
    ran = relay.run_once(at_once);
    CHECK(code_of(ran) == Errc::unknown_topic_or_partition);
    CHECK(message_of(ran).find("anew") != std::string::npos);
    // Another one begins with the new source, and goes on into the new target.
    f.produce(10, 20);
    Relay next = f.open();
    CHECK(drain(next) == 10);
  }
}

TEST_CASE("records that were deleted before they were relayed are an error, or counted") {
  const RelayFixture f(1, 2);
  f.produce(0, 20);
  Relay relay = f.open(relaying(5));
  CHECK(must(relay.run_once(at_once)) == 5);
  must(f.engine.admin().delete_records({"in", 0}, 12));
  for (int i = 0; i < 2; ++i) {
    const auto ran = relay.run_once(at_once);
    CHECK(code_of(ran) == Errc::offset_out_of_range);
    CHECK(message_of(ran).find("offsets 5 to 11 of in-0") != std::string::npos);
  }
  RelayOptions options = relaying(5);
  options.skip_deleted = true;
  Relay skipping = f.open(options);
  must(skipping.run());
  CHECK(skipping.progress().deleted == 7);
  CHECK(skipping.progress().records == 8);
  CHECK(f.lag() == 0);
}

TEST_CASE("a relay whose group retention waits for loses nothing to it") {
  const RelayFixture f(1, 2);
  create_topic(
      f.engine, "kept", 1,
      {{"retention.ms", "0"}, {"segment.bytes", "1024"}, {"retention.unread.groups", "relay:kept:out"}});
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 50; ++i)
    must(producer.send_sync({.topic = "kept", .key = std::to_string(i), .value = std::string(100, 'v')}));
  RelayOptions options = relaying(10);
  options.from = "kept";
  Relay relay = f.open(options);
  std::size_t taken = 0;
  while (taken < 50) {
    must(f.engine.admin().apply_retention("kept", true));
    taken += must(relay.run_once(at_once));
  }
  CHECK(relay.progress().records == 50);
  must(f.engine.admin().apply_retention("kept", true));
  CHECK(must(f.engine.admin().list_offset({"kept", 0}, OffsetSpec::earliest)) == 50);
}

TEST_CASE("a relay of the same name fences the one before, and nothing comes twice") {
  const RelayFixture f;
  f.produce(0, 100);
  Relay first = f.open();
  CHECK(must(first.run_once(at_once)) == 10);
  Relay second = f.open();
  CHECK(must(second.run_once(at_once)) == 10);
  for (int i = 0; i < 2; ++i) CHECK(code_of(first.run_once(at_once)) == Errc::producer_fenced);
  must(second.run());
  CHECK(f.out() == f.in());
  CHECK(second.progress().records == 90);
}

TEST_CASE("a name belongs to one target, and another name relays everything again") {
  const RelayFixture f;
  create_topic(f.engine, "other");
  f.produce(0, 20);
  RelayOptions options = relaying();
  options.name = "mine";
  Relay relay = f.open(options);
  CHECK(relay.group_id() == "relay:mine");
  must(relay.run());
  options.to = "other";
  const auto refused = Relay::open(f.engine, options);
  CHECK(code_of(refused) == Errc::invalid_state);
  CHECK(message_of(refused).find("out") != std::string::npos);
  options.name = "yours";
  Relay again = f.open(options);
  must(again.run());
  CHECK(again.progress().records == 20);
  must(f.engine.admin().delete_group("relay:mine"));
  options.name = "mine";
  CHECK(code_of(Relay::open(f.engine, options)) == Errc{});
}

TEST_CASE("a relay begins where its group is set to") {
  const RelayFixture f(1, 2);
  f.produce(0, 20);
  must(f.engine.admin().alter_group_offsets("relay:in:out", {{{"in", 0}, {.offset = 15}}}));
  Relay relay = f.open();
  must(relay.run());
  CHECK(relay.progress().records == 5);
  must(f.engine.admin().alter_group_offsets("relay:in:out", {{{"in", 0}, {.offset = 18}}}));
  Relay again = f.open();
  must(again.run());
  CHECK(again.progress().records == 2);
}

TEST_CASE("a group that has members is not the relay's to commit for") {
  const RelayFixture f;
  f.produce(0, 10);
  Consumer member = must(f.engine.consumer({.group_id = "relay:in:out"}));
  must(member.subscribe({"in"}));
  must(member.poll(at_once));
  Relay relay = f.open();
  CHECK(code_of(relay.run()) == Errc::unknown_member_id);
  CHECK(f.out().empty());
  member.close();
  must(relay.run());
  CHECK(f.out() == f.in());
}

TEST_CASE("one thread at a time runs a relay, and stop ends a run that waits") {
  const RelayFixture f;
  RelayOptions options = relaying();
  options.until_caught_up = false;
  Relay relay = f.open(options);
  std::thread run([&] { must(relay.run()); });
  CHECK(comes_true([&] { return code_of(relay.run_once(at_once)) == Errc::invalid_state; }));
  CHECK(code_of(relay.run()) == Errc::invalid_state);
  f.produce(0, 5);
  CHECK(comes_true([&] { return relay.progress().records == 5; }));
  relay.stop();
  run.join();
}

TEST_CASE("stop within the application's functions ends the run behind the batch") {
  const RelayFixture f(1, 1);
  f.produce(0, 100);
  Relay* running = nullptr;
  RelayOptions options = relaying(10);
  options.filter = [&](const RecordView& record) {
    if (record.offset() == 15) running->stop();
    return true;
  };
  Relay relay = f.open(options);
  running = &relay;
  must(relay.run());
  CHECK(relay.progress().records == 20);
}

TEST_CASE("a relay within a function of itself is refused") {
  const RelayFixture f(1, 1);
  f.produce(0, 10);
  Relay* running = nullptr;
  std::vector<Errc> answers;
  RelayOptions options = relaying();
  options.filter = [&](const RecordView&) {
    answers.push_back(code_of(running->run_once(at_once)));
    return true;
  };
  Relay relay = f.open(options);
  running = &relay;
  must(relay.run());
  CHECK(answers == std::vector<Errc>(10, Errc::invalid_state));
}

TEST_CASE("with linger, records that come meanwhile share the batch") {
  const RelayFixture f(1, 1);
  RelayOptions options = relaying(20);
  options.linger = std::chrono::hours(1);
  options.until_caught_up = false;
  f.produce(0, 10);
  Relay relay = f.open(options);
  std::thread run([&] { CHECK(must(relay.run_once(at_once)) == 20); });
  f.produce(10, 15);
  f.produce(15, 20);
  run.join();
  CHECK(relay.progress().batches == 1);
  // However far the run has come, it does not wait for the time to be over.
  f.produce(20, 21);
  std::thread stopped([&] { must(relay.run()); });
  relay.stop();
  stopped.join();
}

TEST_CASE("a batch that is aborted by its time-out is relayed by the next call") {
  const RelayFixture f(1, 2);
  f.produce(0, 10);
  RelayOptions options = relaying();
  bool aborts = true;
  options.filter = [&](const RecordView& record) {
    if (record.offset() == 5 && std::exchange(aborts, false))
      must(f.engine.admin().abort_transaction("relay:in:out:0"));
    return true;
  };
  Relay relay = f.open(options);
  CHECK(code_of(relay.run()) == Errc::transaction_abortable);
  CHECK(relay.progress().records == 0);
  must(relay.run());
  CHECK(f.out() == f.in());
  CHECK(relay.progress().records == 10);
}

TEST_CASE("a closed engine ends a relay, and a read-only one has none") {
  const RelayFixture f;
  f.produce(0, 10);
  Relay relay = f.open();
  must(f.engine.close());
  CHECK(code_of(relay.run()) == Errc::closed);
  relay.stop();
  const Engine reading = open_engine(f.directory / "data", {.mode = OpenMode::read_only});
  CHECK(code_of(Relay::open(reading, relaying())) == Errc::read_only);
}

TEST_CASE("rates, what is left and the time that it takes are in the progress") {
  const RelayFixture f(1, 1);
  f.produce(0, 1'000);
  Relay relay = f.open(relaying(100));
  CHECK(relay.progress().lag == 1'000);
  CHECK_FALSE(relay.progress().is_caught_up);
  CHECK_FALSE(relay.progress().time_left);
  must(relay.run());
  const RelayProgress progress = relay.progress();
  CHECK(progress.lag == 0);
  CHECK(progress.records == 1'000);
  CHECK(progress.bytes == 1'000 * 5 + 500 + 10 + 2 * 90 + 3 * 900);
  CHECK(progress.records_per_second > 0);
  CHECK(progress.bytes_per_second > progress.records_per_second);
  CHECK(progress.time_left == std::chrono::nanoseconds(0));
}

}  // namespace seriatim::test
