#include "flow/retry/waiting_keys.hpp"

#include <doctest/doctest.h>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {
namespace {

struct KeysFixture : OpenedEngine {
  /// Record `offset` of "t"; valid until the next call.
  const RecordView& record(Offset offset) {
    records = must(must(engine.reader(t0)).record_at(offset));
    return records[0];
  }
  void send_two() const {
    Producer sender = must(engine.producer());
    const std::vector<HeaderView> headers{{"h", "v"}, {"n", {}}};
    must(sender.send_sync({.topic = "t", .key = "k", .value = "first"}));
    must(sender.send_sync({.topic = "t", .key = "k", .headers = headers}));
  }

  flow::WaitingKeys keys{"g"};
  ConsumerRecords records{};
  TransactionalProducer producer = transactional(engine);
};

TEST_CASE("of a key one record is on its way; the next follows when that is done, with all that it has") {
  KeysFixture f;
  f.send_two();
  Transaction transaction = must(f.producer.begin());
  flow::RetryOrigin first{.topic = "t", .partition = 0, .offset = 0};
  CHECK(!must(f.keys.is_waiting(transaction, first, "k")));
  must(f.keys.lead(transaction, first, "k"));
  first.sequence = flow::WaitingKeys::leading_number(first);
  CHECK(must(f.keys.is_waiting(transaction, first, "k")));
  CHECK(!must(f.keys.is_waiting(transaction, first, "other")));
  CHECK(!must(f.keys.is_waiting(transaction, {.topic = "t", .partition = 1}, "k")));
  const flow::RetryOrigin second{
      .topic = "t", .partition = 0, .offset = 1, .timestamp = f.record(1).timestamp()};
  must(f.keys.add(transaction, second, f.record(1)));
  const auto next = must(f.keys.pass_on(transaction, first, "k"));
  REQUIRE(next);
  CHECK(next->origin.topic == "t");
  CHECK(next->origin.offset == 1);
  CHECK(next->origin.timestamp == second.timestamp);
  CHECK(next->origin.attempts == 0);
  CHECK(next->key == "k");
  CHECK(!next->value);
  REQUIRE(next->headers.size() == 2);
  CHECK(next->headers[0].second == "v");
  CHECK(!next->headers[1].second);
  CHECK(must(f.keys.is_waiting(transaction, first, "k")));
  // One that is not on its way ends nothing.
  CHECK(!must(f.keys.pass_on(transaction, first, "k")));
  CHECK(must(f.keys.is_waiting(transaction, first, "k")));
  CHECK(!must(f.keys.pass_on(transaction, next->origin, "k")));
  CHECK(!must(f.keys.is_waiting(transaction, first, "k")));
  must(transaction.commit());
  CHECK(must(f.engine.admin().list_states()).empty());
}

TEST_CASE("a row that cannot be read is an error, and no order is lost over it") {
  KeysFixture f;
  f.send_two();
  const flow::RetryOrigin first{.topic = "t", .partition = 0, .offset = 0, .sequence = 0};
  Transaction transaction = must(f.producer.begin());
  // No record is on its way.
  CHECK(code_of(f.keys.add(transaction, first, f.record(1))) == Errc::corrupt_metadata);
  CHECK(!must(f.keys.pass_on(transaction, first, "k")));
}

}  // namespace
}  // namespace seriatim::test
