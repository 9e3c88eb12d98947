// Scheduling: taken whole, refused, or with a transaction.
#include "flow/delayed/delayed_scheduler.hpp"

#include <doctest/doctest.h>

#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

TEST_CASE("delays are rounded up to milliseconds, and reach to the year 9999") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "t", .value = "v"}, 1ns));
  CHECK(must(delayed.deliver()) == 0);
  must(delayed.schedule({.topic = "t", .value = "v"}, at_ms(253'402'300'799'999)));
  const auto listing = listed(delayed);
  REQUIRE(listing.size() == 2);
  CHECK(listing[0].due == at_ms(DelayedFixture::start_ms + 1));
  CHECK(listing[1].due == at_ms(253'402'300'799'999));
  for (const DueTime due : {DueTime(at_ms(253'402'300'800'000)), DueTime(at_ms(-1)),
                            DueTime(std::chrono::hours::max()), DueTime(std::chrono::nanoseconds::max())}) {
    // 292 years of nanoseconds are before that year.
    const auto scheduled = delayed.schedule({.topic = "t", .value = "v"}, due);
    CHECK(code_of(scheduled) ==
          (due.from(at_ms(0)) == at_ms(9'223'372'036'855) ? Errc{} : Errc::invalid_argument));
  }
}

TEST_CASE("a message is scheduled with the transaction of the application, or never") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  TransactionalProducer producer = transactional(f.engine);
  for (const bool is_committed : {false, true}) {
    Transaction transaction = must(producer.begin());
    send(transaction, "t", "now");
    must(transaction.state("orders").put("1", "paid"));
    const std::string id =
        must(delayed.schedule(transaction, {.topic = "t", .value = "later"}, 5ms, "order-1"));
    CHECK(id == "order-1");
    CHECK(must(delayed.count()) == 0);
    must(is_committed ? transaction.commit() : transaction.abort());
    CHECK(must(delayed.count()) == (is_committed ? 1 : 0));
  }
  f.clock.advance_ms(5);
  must(delayed.deliver());
  CHECK(f.delivered() == DelayedValues{"now", "later"});
}

TEST_CASE("a batch is scheduled whole, or not at all") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  const auto refused = delayed.schedule(std::vector<DelayedRecord>{
      {.record = {.topic = "t", .value = "a"}}, {.record = {.topic = "no", .value = "b"}}});
  CHECK(code_of(refused) == Errc::unknown_topic_or_partition);
  CHECK(message_of(refused).find("record 1 of 2") != std::string::npos);
  const std::vector<DelayedRecord> twice{{.record = {.topic = "t", .value = "a"}, .id = "x"},
                                         {.record = {.topic = "t", .value = "b"}, .id = "x"}};
  CHECK(code_of(delayed.schedule(twice)) == Errc::invalid_argument);
  CHECK(must(delayed.count()) == 0);
  CHECK(must(delayed.schedule(std::vector<DelayedRecord>{})).empty());
  // The ids of a batch that was refused are free.
  must(delayed.schedule({.topic = "t", .value = "a"}, 0ms, "x"));
}

TEST_CASE("what could not be delivered as things are is refused when it is scheduled") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  const std::string large(2U << 20U, 'x');
  must(f.engine.admin().create_topic({.name = "large", .config = {{"max.message.bytes", "4194304"}}}));
  must(f.engine.admin().create_topic({.name = "keyed", .config = {{"cleanup.policy", "compact"}}}));
  CHECK(code_of(delayed.schedule({.topic = "no", .value = "v"}, 1h)) == Errc::unknown_topic_or_partition);
  CHECK(code_of(delayed.schedule({.topic = "t", .value = "v", .partition = 7}, 1h)) ==
        Errc::unknown_topic_or_partition);
  CHECK(code_of(delayed.schedule({.topic = "t", .value = large}, 1h)) == Errc::record_too_large);
  CHECK(code_of(delayed.schedule({.topic = "large", .value = large}, 1h)) == Errc::record_too_large);
  CHECK(code_of(delayed.schedule({.topic = "keyed", .value = "v"}, 1h)) == Errc::invalid_record);
  CHECK(code_of(delayed.schedule({.topic = "t", .value = "v", .timestamp = at_ms(-5)}, 1h)) ==
        Errc::invalid_timestamp);
  CHECK(code_of(delayed.schedule({.topic = "t", .value = "v"}, 1h, std::string(201, 'x'))) ==
        Errc::invalid_argument);
  CHECK(must(delayed.count()) == 0);
  must(delayed.schedule({.topic = "t", .value = "v", .sequence = 9}, 0ms));
  CHECK(must(delayed.deliver()) == 1);
}

TEST_CASE("an id is of one message at a time") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  TransactionalProducer producer = transactional(f.engine);
  const std::string made = must(delayed.schedule({.topic = "t", .value = "v"}, 10ms));
  must(delayed.schedule({.topic = "t", .value = "v"}, 10ms, "x"));
  for (const std::string& id : {made, std::string("x")}) {
    CHECK(code_of(delayed.schedule({.topic = "t", .value = "w"}, 0ms, id)) == Errc::invalid_argument);
    Transaction transaction = must(producer.begin());
    CHECK(code_of(delayed.schedule(transaction, {.topic = "t", .value = "w"}, 0ms, id)) ==
          Errc::invalid_argument);
    must(transaction.abort());
  }
  f.clock.advance_ms(10);
  CHECK(must(delayed.deliver()) == 2);
  for (const std::string& id : {made, std::string("x")})
    must(delayed.schedule({.topic = "t", .value = "w"}, 0ms, id));
  CHECK(must(delayed.deliver()) == 2);
}

}  // namespace seriatim::test
