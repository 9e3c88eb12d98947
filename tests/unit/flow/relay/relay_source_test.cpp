// The source of a relay: partitions, positions and topics that change while it lives.
#include "flow/relay/relay_source.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {
namespace {

constexpr std::chrono::milliseconds no_wait{0};

std::size_t drain(Relay& relay) {
  std::size_t taken = 0;
  for (int quiet = 0; quiet < 2; ++quiet) {
    const std::size_t now = must(relay.run_once(no_wait));
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
    auto ran = relay.run_once(no_wait);
    CHECK(code_of(ran) == Errc::unknown_topic_or_partition);
    CHECK(message_of(ran).find(topic) != std::string::npos);
    create_topic(f.engine, topic, 2);
    ran = relay.run_once(no_wait);
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
  CHECK(must(relay.run_once(no_wait)) == 5);
  must(f.engine.admin().delete_records({"in", 0}, 12));
  for (int i = 0; i < 2; ++i) {
    const auto ran = relay.run_once(no_wait);
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
    taken += must(relay.run_once(no_wait));
  }
  CHECK(relay.progress().records == 50);
  must(f.engine.admin().apply_retention("kept", true));
  CHECK(must(f.engine.admin().list_offset({"kept", 0}, OffsetSpec::earliest)) == 50);
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

}  // namespace seriatim::test
