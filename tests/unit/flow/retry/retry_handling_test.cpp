// Records that cannot wait, or have no room; topics that somebody deletes.
#include "flow/retry/retry_handling.hpp"

#include <doctest/doctest.h>

#include "unit/flow/retry/retry_fixture.hpp"

namespace seriatim::test {
namespace {

const std::string large(1'044'000, 'x');  // NOLINT(cert-err58-cpp)

TEST_CASE("a record that is too large to wait is dead at its first failure, or behind its key at once") {
  const RetryFixture f;
  must(f.engine.admin().alter_config("in", {{"max.message.bytes", "2000000"}}));
  f.send(large, "a");
  f.send("small", "b");
  f.send(large, "b");
  RetryConsumerOptions options = retrying();
  options.keeps_order_per_key = true;
  options.policy = RetryPolicy::fixed(std::chrono::hours(1), 3);
  Lines calls;
  RetryConsumer consumer =
      f.open(options, [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
        calls.push_back(std::string(record.key().text()) + std::to_string(attempt.number));
        return Error(Errc::io_error, "fails");
      });
  must(settle(consumer));
  CHECK(calls == Lines{"a1", "b1"});
  const auto letters = read_all(f.engine, "in.DLQ");
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].value == large);
  CHECK(header_of(letters[0], "__dlq.errors.message").find("fails") != std::string::npos);
  CHECK(header_of(letters[0], "__dlq.errors.message").find("at most") != std::string::npos);
  CHECK(header_of(letters[0], "__dlq.errors.delivery.count") == "1");
  CHECK(header_of(letters[1], "__dlq.errors.delivery.count") == "0");
}

TEST_CASE("a letter that its topic does not take is written without its record") {
  const RetryFixture f;
  create_topic(f.engine, "in.DLQ", 1, {{"max.message.bytes", "1000"}});
  f.send(std::string(2'000, 'v'), "k");
  FailingHandler handling{.failures = {{std::string(2'000, 'v'), 1}}};
  RetryConsumer consumer = f.open(retrying(1), handling.handler());
  must(settle(consumer));
  const auto letters = read_all(f.engine, "in.DLQ");
  REQUIRE(letters.size() == 1);
  CHECK(!letters[0].key);
  CHECK(!letters[0].value);
  CHECK(header_of(letters[0], "__dlq.errors.offset") == "0");
}

TEST_CASE("failures that have no room in one transaction have room in some") {
  const RetryFixture f(1, {.transaction_max_bytes = 8'192});
  for (int i = 0; i < 20; ++i) f.send(std::to_string(i) + std::string(1'000, 'v'));
  std::map<std::string, std::uint32_t> attempts;
  RetryConsumer consumer = f.open(
      retrying(2), [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
        attempts[value_at(record)] = attempt.number;
        return attempt.number == 1 ? Error(Errc::io_error, "fails") : Result<>();
      });
  must(settle(consumer));
  CHECK(attempts.size() == 20);
  for (const auto& [value, number] : attempts) CHECK(number == 2);
  CHECK(committed_offset(f.engine, "g", {"in", 0}) == 20);
}

TEST_CASE("topics for retries and letters are made again where somebody deleted them") {
  const RetryFixture f;
  f.send("retried");
  f.send("dead");
  FailingHandler handling{.failures = {{"retried", 1}, {"dead", 1'000}}};
  RetryConsumerOptions options = retrying(2);
  options.classify = [](const RetryFailure& failure) -> RetryDecision {
    if (value_at(failure.record) == "dead") return {.action = OnRetryFailure::dead_letter};
    return {};
  };
  RetryConsumer consumer = f.open(options, handling.handler());
  must(f.engine.admin().delete_topic("g.retry"));
  must(f.engine.admin().delete_topic("in.DLQ"));
  must(settle(consumer));
  CHECK(committed_values(f.engine, "in.DLQ") == Lines{"dead"});
  CHECK(handling.calls == Lines{"retried 1", "dead 1", "retried 2"});
}

TEST_CASE("a record that somebody else put into the retry topic is handled as one of that topic") {
  const RetryFixture f;
  Lines topics;
  RetryConsumer consumer =
      f.open(retrying(2), [&](const RecordView&, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
        topics.push_back(std::string(attempt.topic) + " " + std::to_string(attempt.number));
        return Error(Errc::io_error, "fails");
      });
  Producer producer = must(f.engine.producer());
  must(producer.send_sync({.topic = "g.retry", .value = "foreign"}));
  must(settle(consumer));
  CHECK(topics == Lines{"g.retry 1", "g.retry 2"});
  CHECK(committed_values(f.engine, "g.retry.DLQ") == Lines{"foreign"});
}

}  // namespace
}  // namespace seriatim::test
