// The order of a key while one of its records waits for a retry.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include <seriatim/admin.hpp>
#include <seriatim/flow/retry_consumer.hpp>

#include "unit/flow/retry/retry_fixture.hpp"

namespace seriatim::test {
namespace {

RetryConsumerOptions in_order(std::uint32_t max_attempts = 3) {
  RetryConsumerOptions options = retrying(max_attempts);
  options.keeps_order_per_key = true;
  return options;
}

/// That the states of the order have no row left.
bool is_order_forgotten(const Engine& engine) {
  const auto states = must(engine.admin().list_states());
  return std::none_of(states.begin(), states.end(), [](const std::string& name) {
    return name.starts_with("__retry_keys:") || name.starts_with("__retry_queue:");
  });
}

TEST_CASE("records of a key wait behind one that is to be handled again; others do not") {
  const RetryFixture f;
  f.send("a1", "a");
  f.send("b1", "b");
  f.send("a2", "a");
  f.send("n1");
  f.send("a3", "a");
  f.send("b2", "b");
  FailingHandler handling{.failures = {{"a1", 2}, {"a2", 1}}};
  RetryConsumer consumer = f.open(in_order(), handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"a1 1", "b1 1", "n1 1", "b2 1", "a1 2", "a1 3", "a2 1", "a2 2", "a3 1"});
  CHECK(consumer.metrics().held_back == 2);
  CHECK(is_order_forgotten(f.engine));
}

TEST_CASE("those behind a record that dies go on") {
  const RetryFixture f;
  f.send("a1", "a");
  f.send("a2", "a");
  FailingHandler handling{.failures = {{"a1", 1'000}, {"a2", 1'000}}};
  RetryConsumer consumer = f.open(in_order(2), handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"a1 1", "a1 2", "a2 1", "a2 2"});
  const auto letters = read_all(f.engine, "in.DLQ");
  CHECK(values_of(letters) == Lines{"a1", "a2"});
  CHECK(header_of(letters[1], "__dlq.errors.offset") == "1");
  CHECK(is_order_forgotten(f.engine));
}

TEST_CASE("a key's order is that of its partition, and survives restarts and an option that changes") {
  const RetryFixture f(2);
  FailingHandler handling{.failures = {{"0", 2}}};
  f.send("0", "k", 0);
  f.send("1", "k", 0);
  f.send("other", "k", 1);
  {
    RetryConsumer consumer = f.open(in_order(), handling.handler());
    for (int i = 0; i < 3; ++i) must(consumer.run_once(at_once));
  }
  std::sort(handling.calls.begin(), handling.calls.end());
  CHECK(handling.calls == Lines{"0 1", "other 1"});
  handling.calls.clear();
  RetryConsumer consumer = f.open(retrying(), handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"0 2", "0 3", "1 1"});
  CHECK(is_order_forgotten(f.engine));
}

TEST_CASE("whatever fails, records of one key are done in their order, each once") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const RetryFixture f(2);
  std::map<std::string, Lines> sent;
  FailingHandler handling;
  for (int i = 0; i < 200; ++i) {
    const std::string key(1, static_cast<char>('a' + random() % 5));
    const auto partition = static_cast<PartitionId>(key[0] % 2);
    const std::string value = key + std::to_string(i);
    handling.failures[value] = static_cast<int>(random() % 4);  // 3: it dies.
    f.send(value, key, partition);
    sent[key].push_back(value);
  }
  std::map<std::string, Lines> done;
  for (bool goes_on = true; goes_on;) {
    RetryConsumerOptions options = in_order(3);
    options.consumer.max_poll_records = 1 + random() % 20;
    RetryConsumer consumer = f.open(
        options, [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) -> Result<> {
          const auto handled = handling.handler()(record, attempt, output);
          if (handled || attempt.number == 3)
            done[std::string(record.key().text())].push_back(value_at(record));
          return handled;
        });
    // A life of a few polls; the last one ends by itself.
    std::size_t moved = 0;
    for (int i = 0; i < 8; ++i) {
      moved += must(consumer.run_once(at_once));
      moved += must(consumer.deliver_retries());
    }
    goes_on = moved > 0;
  }
  CHECK(done == sent);
  CHECK(is_order_forgotten(f.engine));
}

}  // namespace
}  // namespace seriatim::test
