// Delayed messages by their ids: find, cancel, reschedule.
#include "flow/delayed/delayed_messages_impl.hpp"

#include <doctest/doctest.h>

#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

TEST_CASE("a cancelled message never is delivered, whoever made its id") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  for (const std::string given : {"", "order-17"}) {
    const std::string id = must(delayed.schedule({.topic = "t", .value = "v"}, 10ms, given));
    CHECK(must(delayed.cancel(id)));
    CHECK_FALSE(must(delayed.cancel(id)));
    CHECK_FALSE(must(delayed.find(id)));
    CHECK_FALSE(must(delayed.reschedule(id, 1h)));
  }
  CHECK(must(f.engine.admin().list_states()).empty());
  f.clock.advance_ms(20);
  CHECK(must(delayed.deliver()) == 0);
  CHECK(f.delivered().empty());
}

TEST_CASE("a message whose cancel comes too late was delivered") {
  const DelayedFixture f;
  DelayedMessages delayed = f.open();
  for (const std::string given : {"", "order-17"}) {
    const std::string id = must(delayed.schedule({.topic = "t", .value = "v"}, 0ms, given));
    must(delayed.deliver());
    CHECK_FALSE(must(delayed.cancel(id)));
    CHECK_FALSE(must(delayed.reschedule(id, 0ms)));
  }
  CHECK(f.delivered().size() == 2);
}

TEST_CASE("a rescheduled message is delivered once, at its new time, and keeps its id") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  for (const std::string given : {"", "order-17"}) {
    const std::string id = must(delayed.schedule({.topic = "t", .value = "v" + given}, 10ms, given));
    CHECK(must(delayed.reschedule(id, 50ms)));
    CHECK(must(delayed.reschedule(id, 30ms)));
    CHECK(must(delayed.reschedule(id, 30ms)));
    CHECK(must(delayed.count()) == 1);
    f.clock.advance_ms(29);
    CHECK(must(delayed.deliver()) == 0);
    const auto found = must(delayed.find(id));
    REQUIRE(found);
    CHECK(found->id == id);
    CHECK(found->value == "v" + given);
    f.clock.advance_ms(1);
    CHECK(must(delayed.deliver()) == 1);
    CHECK_FALSE(must(delayed.cancel(id)));
  }
  CHECK(f.delivered() == DelayedValues{"v", "vorder-17"});
  CHECK(must(f.engine.admin().list_states()).empty());
  CHECK(code_of(delayed.reschedule("x", at_ms(-1))) == Errc::invalid_argument);
}

TEST_CASE("a message that is rescheduled to an earlier time is delivered then") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  const std::string id = must(delayed.schedule({.topic = "t", .value = "v"}, 24h));
  must(delayed.deliver());
  CHECK(must(delayed.reschedule(id, 5ms)));
  f.clock.advance_ms(5);
  CHECK(must(delayed.deliver()) == 1);
}

TEST_CASE("of an id that two open transactions schedule both messages are delivered") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  TransactionalProducer one = transactional(f.engine, "one");
  TransactionalProducer two = transactional(f.engine, "two");
  Transaction first = must(one.begin());
  Transaction second = must(two.begin());
  must(delayed.schedule(first, {.topic = "t", .value = "1"}, 10ms, "x"));
  must(delayed.schedule(second, {.topic = "t", .value = "2"}, 20ms, "x"));
  must(first.commit());
  must(second.commit());
  f.clock.advance_ms(10);
  CHECK(must(delayed.deliver()) == 1);
  // The id is still that of the other.
  REQUIRE(must(delayed.find("x")));
  f.clock.advance_ms(10);
  CHECK(must(delayed.deliver()) == 1);
  CHECK(f.delivered() == DelayedValues{"1", "2"});
}

}  // namespace seriatim::test
