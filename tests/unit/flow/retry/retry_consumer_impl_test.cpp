#include "flow/retry/retry_consumer_impl.hpp"

#include <doctest/doctest.h>

#include "unit/flow/retry/retry_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a consumer of the newest records leaves out no retry, whenever it begins") {
  const RetryFixture f;
  RetryConsumerOptions options = retrying(2);
  options.consumer.auto_offset_reset = AutoOffsetReset::latest;
  FailingHandler handling{.failures = {{"a", 1}}};
  {
    RetryConsumer consumer = f.open(options, handling.handler());
    for (int i = 0; i < 3; ++i) must(consumer.run_once(at_once));
    f.send("a");
    for (int i = 0; i < 3; ++i) must(consumer.run_once(at_once));
    // In the retry topic, and not polled.
    CHECK(must(consumer.deliver_retries()) == 1);
  }
  RetryConsumer consumer = f.open(options, handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"a 1", "a 2"});
}

TEST_CASE("retries whose topic was deleted wait for the next open") {
  const RetryFixture f;
  f.send("a");
  FailingHandler handling{.failures = {{"a", 1}}};
  {
    RetryConsumer consumer = f.open(retrying(2), handling.handler());
    for (int i = 0; i < 3; ++i) must(consumer.run_once(at_once));
    must(f.engine.admin().delete_topic("g.retry"));
    CHECK(must(consumer.deliver_retries()) == 0);
  }
  CHECK(must(count_delayed_messages(f.engine, "retry:g", DelayedListing::parked)) == 1);
  RetryConsumer consumer = f.open(retrying(2), handling.handler());
  must(settle(consumer));
  CHECK(handling.calls == Lines{"a 1", "a 2"});
}

TEST_CASE("a consumer that is destroyed or closed with its engine has lost nothing that was committed") {
  const RetryFixture f;
  for (const char* value : {"a", "b", "c"}) f.send(value, "k");
  FailingHandler handling{.failures = {{"a", 1}}};
  RetryConsumerOptions options = retrying(2);
  options.keeps_order_per_key = true;
  options.delivers_in_background = true;
  options.policy = RetryPolicy::fixed(std::chrono::hours(1), 2);
  {
    RetryConsumer consumer = f.open(options, handling.handler());
    must(consumer.start());
    CHECK(comes_true([&] { return consumer.metrics().held_back == 2; }));
  }
  CHECK(committed_offset(f.engine, "g", {"in", 0}) == 3);
  CHECK(must(count_delayed_messages(f.engine, "retry:g")) == 1);
  CHECK(must(must(f.engine.state("__retry_queue:g")).scan({}, 10)).size() == 2);
}

TEST_CASE("a second consumer of the group takes over, and nothing is done twice") {
  const RetryFixture f;
  create_topic(f.engine, "out");
  const auto copy = [](const RecordView& record, const RetryAttempt& attempt,
                       RetryOutput& output) -> Result<> {
    if (attempt.number == 1) return Error(Errc::io_error, "fails");
    return output.send({.topic = "out", .value = record.value()});
  };
  RetryConsumer first = f.open(retrying(), copy);
  f.send("a");
  must(settle(first));
  RetryConsumer second = f.open(retrying(), copy);
  must(second.run_once(at_once));  // Its worker has the first one's transactional id.
  f.send("b");
  // Whether it has the partition still or not: it commits nothing any more.
  static_cast<void>(settle(first).ok());
  first.stop();
  static_cast<void>(first.wait().ok());
  CHECK(comes_true([&] {
    must(second.run_once(at_once));
    must(second.deliver_retries());
    return committed_values(f.engine, "out").size() >= 2;
  }));
  must(settle(second));
  CHECK(committed_values(f.engine, "out") == Lines{"a", "b"});
}

}  // namespace
}  // namespace seriatim::test
