// The order and the time of deliveries.
#include "flow/delayed/delayed_delivery.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/random.hpp"
#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

TEST_CASE("messages are appended in the order of their due times, whatever the order of the calls") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  Random random("due order of delayed messages");
  struct Expected {
    std::int64_t due;
    int call;
  };
  std::vector<Expected> expected;
  std::vector<std::string> values;
  for (int i = 0; i < 1'300; ++i) values.push_back(std::to_string(i));
  std::vector<DelayedRecord> records;
  for (int i = 0; i < 1'300; ++i) {
    const auto delay = random.between(0, 399);
    expected.push_back({delay, i});
    records.push_back({.record = {.topic = "t", .value = values[static_cast<std::size_t>(i)]},
                       .due = std::chrono::milliseconds(delay)});
  }
  CHECK(must(delayed.schedule(records)).size() == records.size());
  std::stable_sort(expected.begin(), expected.end(),
                   [](const Expected& a, const Expected& b) { return a.due < b.due; });
  // More than one transaction's, in steps: none is early, and none is twice.
  for (const std::int64_t until : {100, 250, 399}) {
    f.clock.set_wall_ms(DelayedFixture::start_ms + until);
    must(delayed.deliver());
    DelayedValues due;
    for (const Expected& one : expected)
      if (one.due <= until) due.push_back(std::to_string(one.call));
    CHECK(f.delivered() == due);
  }
}

TEST_CASE("a time that is over, or no delay, means at once") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "t", .value = "b"}, 0ms));
  must(delayed.schedule({.topic = "t", .value = "a"}, at_ms(0)));
  must(delayed.schedule({.topic = "t", .value = "c"}, -5h));
  CHECK(must(delayed.deliver()) == 3);
  CHECK(f.delivered() == DelayedValues{"a", "b", "c"});
}

TEST_CASE("a message that a transaction committed behind its due time is delivered all the same") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  must(delayed.schedule(transaction, {.topic = "t", .value = "a"}, 5ms));
  must(delayed.schedule({.topic = "t", .value = "b"}, 50ms));
  f.clock.advance_ms(100);
  CHECK(must(delayed.deliver()) == 1);
  must(transaction.commit());
  CHECK(must(delayed.deliver()) == 1);
  CHECK(f.delivered() == DelayedValues{"b", "a"});
}

TEST_CASE("clock jumps: forwards everything due is delivered in order, backwards the rest waits") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  for (const char* value : {"3", "1", "2"})
    must(delayed.schedule({.topic = "t", .value = value}, std::chrono::hours(*value - '0')));
  f.clock.set_wall_ms(DelayedFixture::start_ms - 86'400'000);
  CHECK(must(delayed.deliver()) == 0);
  // By the clock of then it is due before what was scheduled first.
  must(delayed.schedule({.topic = "t", .value = "0"}, 1h));
  f.clock.set_wall_ms(DelayedFixture::start_ms + 2 * 3'600'000);
  CHECK(must(delayed.deliver()) == 3);
  f.clock.set_wall_ms(DelayedFixture::start_ms);
  CHECK(must(delayed.deliver()) == 0);
  must(delayed.schedule({.topic = "t", .value = "again"}, 1h));
  f.clock.set_wall_ms(DelayedFixture::start_ms + 3 * 3'600'000);
  CHECK(must(delayed.deliver()) == 2);
  CHECK(f.delivered() == DelayedValues{"0", "1", "2", "again", "3"});
}

TEST_CASE("lateness counts from the due time, of what was due before from the open") {
  DelayedFixture f;
  {
    DelayedMessages delayed = f.open();
    must(delayed.schedule({.topic = "t", .value = "v"}, 10ms));
  }
  f.clock.advance_ms(1'000);
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "t", .value = "v"}, 30ms));
  f.clock.advance_ms(7);
  must(delayed.deliver());
  CHECK(delayed.metrics().lateness_last == 7ms);
  f.clock.advance_ms(25);
  must(delayed.deliver());
  const DelayedMetrics metrics = delayed.metrics();
  CHECK(metrics.delivered == 2);
  CHECK(metrics.batches == 2);
  CHECK(metrics.lateness_last == 2ms);
  CHECK(metrics.lateness_max == 7ms);
  CHECK(metrics.parked + metrics.failures == 0);
}

TEST_CASE("where an engine's transactions have little room, batches are as small as they have to be") {
  const TempDir dir;
  base::ManualClock clock{DelayedFixture::start_ms};
  const Engine engine =
      open_engine_with(dir / "data", os::posix_vfs(), clock, {.transaction_max_bytes = 4'096});
  create_topic(engine, "t", 3);
  create_topic(engine, "gone");
  DelayedMessages delayed = must(detail::DelayedMessagesImpl::open(
      engine, {.name = "d", .delivers_in_background = false}, [&] { return at_ms(clock.wall_ms()); }));
  for (int i = 0; i < 200; ++i) {
    const std::string value = std::to_string(i);
    const std::string topic = i % 10 == 0 ? "gone" : "t";
    must(delayed.schedule({.topic = topic, .key = value, .value = value + std::string(200, 'x')},
                          std::chrono::milliseconds(i)));
  }
  must(engine.admin().delete_topic("gone"));
  clock.advance_ms(200);
  CHECK(must(delayed.deliver()) == 180);
  CHECK(must(delayed.count()) == 0);
  CHECK(must(delayed.count(DelayedListing::parked)) == 20);
  CHECK(delayed.metrics().batches > 1);
  std::size_t records = 0;
  for (PartitionId p = 0; p < 3; ++p) records += committed_values(engine, "t", p).size();
  CHECK(records == 180);
}

}  // namespace seriatim::test
