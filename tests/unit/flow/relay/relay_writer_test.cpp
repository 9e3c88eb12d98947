// Transactions of a relay: records that cannot be relayed, and the decisions on them.
#include "flow/relay/relay_writer.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include "unit/flow/relay/relay_fixture.hpp"

namespace seriatim::test {
namespace {

RelayFailureDecision always(RelayDecision decision) {
  return [decision](const RelayFailure&) { return decision; };
}

/// Every seventh record is larger than the target takes.
struct LargeRecords {
  RelayFixture f{2, 3, {{"max.message.bytes", "1000"}}};
  static constexpr int large = 15;

  LargeRecords() {
    Producer producer = must(f.engine.producer({.acks = Acks::leader}));
    const HeaderView headers[] = {{"own", "header"}};
    for (int i = 0; i < 100; ++i) {
      const std::string value = std::to_string(i) + (i % 7 == 0 ? std::string(2'000, 'x') : std::string());
      must(producer.send_sync(
          {.topic = "in", .key = "key-" + std::to_string(i % 10), .value = value, .headers = headers}));
    }
  }
  std::map<std::string, Values> small_ones() const {
    std::vector<OwnedRecord> records = committed_records(f.engine, "in");
    std::erase_if(records, [](const OwnedRecord& record) { return record.value->size() > 1'000; });
    return values_by_key(records);
  }
};

std::string header_of(const OwnedRecord& record, std::string_view name) {
  for (const auto& [key, value] : record.headers) {
    if (key == name) return value.value_or("(null)");
  }
  return "(none)";
}

}  // namespace

TEST_CASE("a record that the target refuses stops the relay by its place, and nothing of its batch is seen") {
  const LargeRecords large;
  Relay relay = large.f.open(relaying(1'000));
  for (int i = 0; i < 2; ++i) {
    const auto ran = relay.run();
    CHECK(code_of(ran) == Errc::record_too_large);
    CHECK(message_of(ran).find("relaying in-") != std::string::npos);
    CHECK(message_of(ran).find(" offset ") != std::string::npos);
    CHECK(large.f.out().empty());
    CHECK(relay.progress().records == 0);
    CHECK(large.f.lag() == 0);  // the group has committed nothing
  }
}

TEST_CASE("a refused record is skipped alone, and the others keep their order") {
  const LargeRecords large;
  RelayOptions options = relaying(30);
  options.on_failure = always(RelayDecision::skip);
  Relay relay = large.f.open(options);
  must(relay.run());
  CHECK(large.f.out() == large.small_ones());
  CHECK(relay.progress().skipped == LargeRecords::large);
  CHECK(relay.progress().records == 100 - LargeRecords::large);
  CHECK(large.f.lag() == 0);
}

TEST_CASE("a refused record becomes a dead letter that says where it is from") {
  const LargeRecords large;
  RelayOptions options = relaying(30);
  options.on_failure = always(RelayDecision::dead_letter);
  options.dead_letter_topic = "letters";
  Relay relay = large.f.open(options);
  must(relay.run());
  CHECK(large.f.out() == large.small_ones());
  CHECK(relay.progress().dead_letters == LargeRecords::large);
  const auto letters = committed_records(large.f.engine, "letters");
  REQUIRE(letters.size() == LargeRecords::large);
  for (const OwnedRecord& letter : letters) {
    CHECK(header_of(letter, "own") == "header");
    CHECK(header_of(letter, "__dlq.errors.topic") == "in");
    CHECK(header_of(letter, "__dlq.errors.group") == "relay:in:out");
    CHECK(header_of(letter, "__dlq.errors.message").find("max.message.bytes") != std::string::npos);
    const PartitionId partition = std::stoi(header_of(letter, "__dlq.errors.partition"));
    const Offset offset = std::stoll(header_of(letter, "__dlq.errors.offset"));
    const auto record = must(must(large.f.engine.reader({"in", partition})).record_at(offset));
    REQUIRE(record.count() == 1);
    CHECK(record[0].value().text() == letter.value);
    CHECK(record[0].key().text() == letter.key);
  }
}

TEST_CASE("of a record that is too large for the dead letters too, the place is left") {
  const LargeRecords large;
  create_topic(large.f.engine, "letters", 2, {{"max.message.bytes", "1000"}});
  RelayOptions options = relaying(30);
  options.on_failure = always(RelayDecision::dead_letter);
  options.dead_letter_topic = "letters";
  Relay relay = large.f.open(options);
  must(relay.run());
  const auto letters = committed_records(large.f.engine, "letters");
  REQUIRE(letters.size() == LargeRecords::large);
  for (const OwnedRecord& letter : letters) {
    CHECK_FALSE(letter.value);
    CHECK(header_of(letter, "__dlq.errors.topic") == "in");
    CHECK(std::to_string(letter.topic_partition.partition) == header_of(letter, "__dlq.errors.partition"));
  }
}

TEST_CASE("a dead letter without a topic for it, or that its topic refuses, stops the relay") {
  const LargeRecords large;
  RelayOptions options = relaying(30);
  options.on_failure = always(RelayDecision::dead_letter);
  CHECK(code_of(large.f.open(options).run()) == Errc::invalid_argument);
  create_topic(large.f.engine, "letters", 1, {{"max.message.bytes", "100"}});
  options.dead_letter_topic = "letters";
  const auto ran = large.f.open(options).run();
  CHECK(code_of(ran) == Errc::record_too_large);
  CHECK(message_of(ran).find("dead letter of in-") != std::string::npos);
  CHECK(large.f.out().empty());
}

TEST_CASE("a record without a key is refused by a compacted target, and decided on") {
  const RelayFixture f(1, 2, {{"cleanup.policy", "compact"}});
  Producer producer = must(f.engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "in", .key = "k", .value = "1"}));
  must(producer.send_sync({.topic = "in", .value = "2"}));
  must(producer.send_sync({.topic = "in", .key = "k", .value = "3"}));
  const auto ran = f.open().run();
  CHECK(code_of(ran) == Errc::invalid_record);
  CHECK(message_of(ran).find("in-0 offset 1") != std::string::npos);
  RelayOptions options = relaying();
  options.on_failure = always(RelayDecision::skip);
  must(f.open(options).run());
  CHECK(f.out() == std::map<std::string, Values>{{"k", {"1", "3"}}});
}

TEST_CASE("a filter, a transformation or a decision that throws is the failure of its record") {
  const RelayFixture f(1, 1);
  f.produce(0, 10);
  RelayOptions throwing = relaying();
  throwing.filter = [](const RecordView& record) -> bool {
    if (record.offset() == 4) throw std::runtime_error("no filter");
    return true;
  };
  auto ran = f.open(throwing).run();
  CHECK(message_of(ran).find("in-0 offset 4") != std::string::npos);
  CHECK(message_of(ran).find("no filter") != std::string::npos);
  CHECK(f.out().empty());
  throwing.on_failure = [](const RelayFailure&) -> RelayDecision { throw std::runtime_error("no decision"); };
  ran = f.open(throwing).run();
  CHECK(message_of(ran).find("no decision") != std::string::npos);
  CHECK(f.out().empty());
  RelayOptions failing = relaying();
  failing.transform = [](const RecordView& record) -> Result<std::optional<OwnedRecord>> {
    if (record.offset() == 4) throw std::runtime_error("no record");
    if (record.offset() == 5) return Error(Errc::timed_out, "no answer");
    return std::optional<OwnedRecord>(record.to_owned());
  };
  std::vector<std::string> failures;
  failing.on_failure = [&](const RelayFailure& failure) {
    failures.push_back(std::to_string(failure.record.offset()) + " " + failure.error.message());
    return RelayDecision::skip;
  };
  must(f.open(failing).run());
  REQUIRE(failures.size() == 2);
  CHECK(failures[0].starts_with("4 "));
  CHECK(failures[0].find("no record") != std::string::npos);
  CHECK(failures[1].find("no answer") != std::string::npos);
  CHECK(committed_values(f.engine, "out") == Values{"0", "1", "2", "3", "6", "7", "8", "9"});
}

TEST_CASE("a transaction that is too small for the target's partitions skips no record") {
  TempDir directory;
  const Engine engine = open_engine(directory / "data", {.transaction_max_bytes = 4'096});
  create_topic(engine, "in");
  create_topic(engine, "out", 300);
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  for (int i = 0; i < 1'000; ++i)
    must(producer.send_sync({.topic = "in", .key = std::to_string(i), .value = std::to_string(i)}));
  RelayOptions options = relaying(1'000);
  options.on_failure = always(RelayDecision::skip);
  Relay relay = must(Relay::open(engine, options));
  CHECK(code_of(relay.run()) == Errc::record_too_large);
  CHECK(relay.progress().skipped == 0);
  options.batch_records = 50;
  must(must(Relay::open(engine, options)).run());
  CHECK(committed_records(engine, "out").size() == 1'000);
}

}  // namespace seriatim::test
