#include <seriatim/flow/retry_consumer.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

#include "unit/flow/retry/retry_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a record that fails is handled again until it is done, and holds up no other") {
  const RetryFixture f;
  f.send("a");
  f.send("b");
  FailingHandler handling{.failures = {{"a", 2}}};
  RetryConsumer consumer = f.open(retrying(), handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"a 1", "b 1", "a 2", "a 3"});
  CHECK(committed_values(f.engine, "in.DLQ").empty());
  CHECK(committed_offset(f.engine, "g", {"in", 0}) == 2);
  const RetryMetrics metrics = consumer.metrics();
  CHECK(metrics.handled == 2);
  CHECK(metrics.retried == 2);
  CHECK(metrics.dead_letters == 0);
}

TEST_CASE("a poison record is handled as often as the policy says, and then is a dead letter that says why") {
  const RetryFixture f(2);
  Producer producer = must(f.engine.producer());
  const std::vector<HeaderView> own{{"trace", "17"}};
  must(producer.send_sync({.topic = "in", .value = "before", .partition = 1}));
  must(producer.send_sync({.topic = "in",
                           .key = "k",
                           .value = "poison",
                           .partition = 1,
                           .timestamp = Timestamp(std::chrono::milliseconds(1'234)),
                           .headers = own}));
  FailingHandler handling{.failures = {{"poison", 1'000}}};
  RetryConsumer consumer = f.open(retrying(4), handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"before 1", "poison 1", "poison 2", "poison 3", "poison 4"});
  const auto letters = read_all(f.engine, "in.DLQ", 1);
  REQUIRE(letters.size() == 1);
  const OwnedRecord& letter = letters[0];
  CHECK(letter.key == "k");
  CHECK(letter.value == "poison");
  CHECK(header_of(letter, "trace") == "17");
  CHECK(header_of(letter, "__dlq.errors.topic") == "in");
  CHECK(header_of(letter, "__dlq.errors.partition") == "1");
  CHECK(header_of(letter, "__dlq.errors.offset") == "1");
  CHECK(header_of(letter, "__dlq.errors.group") == "g");
  CHECK(header_of(letter, "__dlq.errors.delivery.count") == "4");
  CHECK(header_of(letter, "__dlq.errors.message") == "no answer");
  CHECK(header_of(letter, "__dlq.errors.name") == "IO_ERROR");
  CHECK(header_of(letter, "__dlq.errors.timestamp") == "1234");
  CHECK(std::stoll(header_of(letter, "__dlq.errors.first.time")) <=
        std::stoll(header_of(letter, "__dlq.errors.time")));
  for (const auto& [name, value] : letter.headers) CHECK(name.find("__retry.") == std::string::npos);
  CHECK(must(f.engine.admin().describe_topic("in.DLQ")).config.retention_ms == -1);
}

TEST_CASE("a handler sees where a retry was first, and its last error") {
  const RetryFixture f;
  f.send("before");
  f.send("v");
  std::vector<std::string> errors;
  std::vector<std::optional<Timestamp>> first_failures;
  RetryConsumer consumer = f.open(
      retrying(3), [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
        if (value_at(record) != "v") return {};
        CHECK(attempt.topic == "in");
        CHECK(attempt.partition == 0);
        CHECK(attempt.offset == 1);
        errors.emplace_back(attempt.last_error);
        first_failures.push_back(attempt.first_failure);
        return Error(Errc::io_error, "failure " + std::to_string(attempt.number));
      });
  must(settle(consumer));
  CHECK(errors == Lines{"", "failure 1", "failure 2"});
  CHECK(!first_failures[0]);
  CHECK(first_failures[1]);
  CHECK(first_failures[1] == first_failures[2]);
}

TEST_CASE("each kind of failure has its policy: exceptions by their type") {
  const RetryFixture f;
  for (const char* value : {"range", "logic", "skip", "once"}) f.send(value);
  Lines calls;
  RetryConsumerOptions options = retrying(2);
  options.classify = [](const RetryFailure& failure) -> RetryDecision {
    if (failure.threw<std::out_of_range>()) return {.policy = RetryPolicy::fixed(at_once, 4)};
    if (failure.threw<std::logic_error>()) return {.action = OnRetryFailure::dead_letter};
    if (failure.error.code() == Errc::wakeup) return {.action = OnRetryFailure::skip};
    return {};
  };
  RetryConsumer consumer =
      f.open(options, [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
        const std::string value = value_at(record);
        calls.push_back(value + " " + std::to_string(attempt.number));
        if (value == "range") throw std::out_of_range("out of range");
        if (value == "logic") throw std::logic_error("no sense");
        if (value == "skip") return Error(Errc::wakeup, "skip me");
        return Error(Errc::io_error, "fails");
      });
  must(settle(consumer));
  CHECK(calls == Lines{"range 1", "logic 1", "skip 1", "once 1", "range 2", "once 2", "range 3", "range 4"});
  const auto letters = read_all(f.engine, "in.DLQ");
  CHECK(values_of(letters) == Lines{"logic", "once", "range"});
  CHECK(header_of(letters[0], "__dlq.errors.delivery.count") == "1");
  CHECK(header_of(letters[0], "__dlq.errors.message") == "the handler threw: no sense");
  CHECK(consumer.metrics().skipped == 1);
}

TEST_CASE("a failure that stops ends the consumer, and the record comes again with its attempts") {
  const RetryFixture f;
  f.send("a");
  RetryConsumerOptions options = retrying(5);
  options.classify = [](const RetryFailure& failure) -> RetryDecision {
    if (failure.attempt.number == 1) return {};
    // That it could be tried again does not matter.
    return {.action = OnRetryFailure::stop};
  };
  FailingHandler handling{.failures = {{"a", 2}}};
  {
    RetryConsumer consumer = f.open(
        options, [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) -> Result<> {
          auto handled = handling.handler()(record, attempt, output);
          return handled ? handled : Error(Errc::queue_full, "stop here");
        });
    CHECK(code_of(settle(consumer)) == Errc::queue_full);
  }
  RetryConsumer consumer = f.open(options, handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"a 1", "a 2", "a 2"});
}

TEST_CASE("a decision that throws, or has a policy out of range, ends the consumer") {
  for (const bool throws : {false, true}) {
    const RetryFixture f;
    f.send("a");
    RetryConsumerOptions options = retrying();
    options.classify = [throws](const RetryFailure&) -> RetryDecision {
      if (throws) throw std::runtime_error("undecided");
      return {.policy = RetryPolicy{.max_attempts = 0}};
    };
    FailingHandler handling{.failures = {{"a", 1}}};
    RetryConsumer consumer = f.open(options, handling.handler());
    const auto settled = settle(consumer);
    REQUIRE(!settled);
    CHECK(settled.error().message().find(throws ? "undecided" : "max_attempts") != std::string::npos);
    CHECK(!committed_offset(f.engine, "g", {"in", 0}));
  }
}

TEST_CASE("outputs are kept with success alone, once") {
  const RetryFixture f;
  create_topic(f.engine, "out");
  f.send("a");
  f.send("b");
  RetryConsumer consumer = f.open(
      retrying(3),
      [&](const RecordView& record, const RetryAttempt& attempt, RetryOutput& output) -> Result<> {
        const std::string text = value_at(record) + std::to_string(attempt.number);
        const std::vector<HeaderView> headers{{"h", text}, {"n", {}}};
        if (auto sent = output.send({.topic = "out", .key = "k", .value = text, .headers = headers}); !sent)
          return sent;
        CHECK(code_of(output.send({.topic = "none", .value = "v"})) == Errc::unknown_topic_or_partition);
        return value_at(record) == "a" && attempt.number < 3 ? Error(Errc::io_error, "fails") : Result<>();
      });
  must(settle(consumer));
  CHECK(committed_values(f.engine, "out") == Lines{"b1", "a3"});
  const auto out = read_all(f.engine, "out");
  CHECK(out[0].key == "k");
  CHECK(header_of(out[0], "h") == "b1");
  CHECK(header_of(out[0], "n") == "(null)");
}

TEST_CASE("retries come back in the background, and workers share the partitions") {
  const RetryFixture f(4);
  for (int i = 0; i < 20; ++i) f.send(std::to_string(i), {}, i % 4);
  RetryConsumerOptions options = retrying(2);
  options.workers = 2;
  options.delivers_in_background = true;
  RetryConsumer consumer =
      f.open(options, [](const RecordView&, const RetryAttempt& attempt, RetryOutput&) -> Result<> {
        return attempt.number == 1 ? Error(Errc::io_error, "fails") : Result<>();
      });
  must(consumer.start());
  CHECK(comes_true([&] { return consumer.metrics().handled >= 20; }));
  consumer.stop();
  must(consumer.wait());
  CHECK(consumer.metrics().handled == 20);
  CHECK(consumer.metrics().retried == 20);
}

TEST_CASE("a restart in the middle loses no retry, and no attempt that was made") {
  const RetryFixture f;
  f.send("a");
  FailingHandler handling{.failures = {{"a", 1'000}}};
  for (int life = 0; life < 10; ++life) {
    RetryConsumer consumer = f.open(retrying(4), handling.handler());
    // Partitions first, then a record or none.
    for (int i = 0; i < 3; ++i) must(consumer.run_once(at_once));
    must(consumer.deliver_retries());
  }
  CHECK(handling.calls == Lines{"a 1", "a 2", "a 3", "a 4"});
  CHECK(committed_values(f.engine, "in.DLQ") == Lines{"a"});
}

TEST_CASE("options out of range are refused by name") {
  const RetryFixture f;
  const auto refused = [&](const RetryConsumerOptions& options, std::string_view member) {
    const auto opened = RetryConsumer::open(
        f.engine, options, [](const RecordView&, const RetryAttempt&, RetryOutput&) { return Result<>(); });
    CHECK(code_of(opened) == Errc::invalid_argument);
    CHECK(message_of(opened).find(member) != std::string::npos);
  };
  RetryConsumerOptions options = retrying();
  options.group_id = std::string(75, 'g');
  refused(options, "group_id");
  options = retrying();
  options.topics.clear();
  refused(options, "topics");
  options = retrying();
  options.retry_topic = "in";
  refused(options, "retry topic");
  options = retrying();
  options.keeps_order_per_key = true;
  options.workers = 2;
  refused(options, "workers");
  options = retrying();
  options.policy.max_attempts = 0;
  refused(options, "max_attempts");
  options = retrying();
  options.consumer.isolation_level = IsolationLevel::read_uncommitted;
  refused(options, "isolation_level");
  CHECK(code_of(RetryConsumer::open(f.engine, retrying(), {})) == Errc::invalid_argument);
  options = retrying();
  options.topics = {"in", "none"};
  CHECK(code_of(
            RetryConsumer::open(f.engine, options, [](const RecordView&, const RetryAttempt&, RetryOutput&) {
              return Result<>();
            })) == Errc::unknown_topic_or_partition);
}

}  // namespace
}  // namespace seriatim::test
