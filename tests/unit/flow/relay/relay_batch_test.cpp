// The records of a batch: what they are made of, and where they go.
#include "flow/relay/relay_batch.hpp"

#include <doctest/doctest.h>

#include <set>

#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {

TEST_CASE("a relay puts keys where a producer puts them") {
  const RelayFixture f(2, 7);
  create_topic(f.engine, "produced", 7);
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 100; ++i) {
    for (const char* topic : {"in", "produced"})
      must(producer.send_sync({.topic = topic, .key = std::to_string(i), .value = "v"}));
  }
  Relay relay = f.open();
  must(relay.run());
  for (PartitionId i = 0; i < 7; ++i) {
    std::set<std::string> relayed;
    std::set<std::string> produced;
    for (const auto& record : read_all(f.engine, "out", i)) relayed.insert(record.key.value_or(""));
    for (const auto& record : read_all(f.engine, "produced", i)) produced.insert(record.key.value_or(""));
    CHECK(relayed == produced);
  }
}

TEST_CASE("keys, null values, headers and timestamps stay as they are") {
  const RelayFixture f(1, 1);
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  const HeaderView headers[] = {{"a", "1"}, {"b", BytesView()}, {"a", ""}};
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("h" + std::to_string(i));
  std::vector<HeaderView> many;
  for (const std::string& name : names) many.push_back({name, "x"});
  const Timestamp time{std::chrono::milliseconds(1'234'567)};
  must(producer.send_sync({.topic = "in", .key = "k", .value = BytesView(), .timestamp = time}));
  must(producer.send_sync({.topic = "in", .value = "", .timestamp = no_timestamp, .headers = headers}));
  must(producer.send_sync({.topic = "in", .key = "", .value = "v", .headers = many}));
  Relay relay = f.open();
  must(relay.run());
  const auto in = read_all(f.engine, "in");
  const auto out = read_all(f.engine, "out");
  REQUIRE(out.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(out[i].key == in[i].key);
    CHECK(out[i].value == in[i].value);
    CHECK(out[i].timestamp == in[i].timestamp);
    CHECK(out[i].headers == in[i].headers);
  }
}

TEST_CASE("records without a key are spread over the target") {
  const RelayFixture f(1, 4);
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  const std::string value(10'000, 'v');
  for (int i = 0; i < 100; ++i) must(producer.send_sync({.topic = "in", .value = value}));
  Relay relay = f.open();
  must(relay.run());
  for (PartitionId i = 0; i < 4; ++i) CHECK(read_all(f.engine, "out", i).size() >= 10);
}

TEST_CASE("a filter drops records, a transformation changes them") {
  const RelayFixture f;
  f.produce(0, 100);
  RelayOptions options = relaying();
  options.filter = [](const RecordView& record) { return record.value().size() == 2; };  // 10 .. 99
  options.transform = [](const RecordView& record) -> Result<std::optional<OwnedRecord>> {
    OwnedRecord changed = record.to_owned();
    if (changed.value == "50") return std::optional<OwnedRecord>();
    changed.key = "new-" + *changed.value;
    changed.headers.emplace_back("from", std::to_string(record.offset()));
    return std::optional<OwnedRecord>(std::move(changed));
  };
  Relay relay = f.open(options);
  must(relay.run());
  CHECK(relay.progress().records == 89);
  CHECK(relay.progress().dropped == 11);
  CHECK(f.lag() == 0);
  for (const OwnedRecord& record : committed_records(f.engine, "out")) {
    CHECK(record.key == "new-" + *record.value);
    CHECK(record.topic_partition.partition == partition_for_key(*record.key, 8));
    REQUIRE(record.headers.size() == 1);
  }
}

TEST_CASE("a partitioner of the application chooses, and one that names no partition fails its record") {
  const RelayFixture f(1, 4);
  f.produce(0, 10);
  RelayOptions options = relaying();
  options.partitioner = [](std::string_view topic, BytesView, PartitionId count) {
    return topic == "out" && count == 4 ? 3 : 0;
  };
  must(f.open(options).run());
  CHECK(read_all(f.engine, "out", 3).size() == 10);
  f.produce(10, 11);
  options.partitioner = [](std::string_view, BytesView, PartitionId count) { return count; };
  const auto ran = f.open(options).run();
  CHECK(code_of(ran) == Errc::invalid_argument);
  CHECK(message_of(ran).find("in-0 offset 10") != std::string::npos);
}

}  // namespace seriatim::test
