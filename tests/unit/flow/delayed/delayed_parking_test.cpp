// Messages that cannot be delivered are parked, listed, and stop no other.
#include "flow/delayed/delayed_messages_impl.hpp"

#include <doctest/doctest.h>

#include "flow/own_tables.hpp"
#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

TEST_CASE("a message of a deleted topic is parked and listed, and stops no other") {
  DelayedFixture f;
  create_topic(f.engine, "gone");
  DelayedMessages delayed = f.open();
  const std::string lost = must(delayed.schedule({.topic = "gone", .key = "k", .value = "v"}, 1ms, "lost"));
  const std::string made = must(delayed.schedule({.topic = "gone", .value = "w"}, 2ms));
  must(delayed.schedule({.topic = "t", .value = "a"}, 1ms));
  must(delayed.schedule({.topic = "t", .value = "b"}, 3ms));
  must(f.engine.admin().delete_topic("gone"));
  f.clock.advance_ms(5);
  CHECK(must(delayed.deliver()) == 2);
  CHECK(f.delivered() == DelayedValues{"a", "b"});
  CHECK(must(delayed.count()) == 0);
  CHECK(must(delayed.count(DelayedListing::parked)) == 2);
  CHECK(delayed.metrics().parked == 2);
  const auto parked = listed(delayed, DelayedListing::parked);
  REQUIRE(parked.size() == 2);
  CHECK(parked[0].id == "lost");
  CHECK(parked[0].key == "k");
  REQUIRE(parked[0].parked_for);
  CHECK(parked[0].parked_for->code() == Errc::unknown_topic_or_partition);
  const auto found = must(delayed.find(made));
  REQUIRE(found);
  CHECK(found->parked_for);
  CHECK(must(list_delayed_message_names(f.engine)) == DelayedValues{"d"});
  // Its id stays taken, and it can be cancelled, or tried again.
  CHECK(code_of(delayed.schedule({.topic = "t", .value = "w"}, 0ms, "lost")) == Errc::invalid_argument);
  CHECK(code_of(delayed.schedule({.topic = "t", .value = "w"}, 0ms, made)) == Errc::invalid_argument);
  CHECK(must(delayed.cancel(made)));
  CHECK_FALSE(must(delayed.retry_parked(made)));
  create_topic(f.engine, "gone");
  CHECK(must(delayed.retry_parked(lost)));
  CHECK_FALSE(must(delayed.retry_parked(lost)));
  CHECK(must(delayed.deliver()) == 1);
  CHECK(committed_values(f.engine, "gone") == DelayedValues{"v"});
  CHECK(must(f.engine.admin().list_states()).empty());
}

TEST_CASE("a parked message can be given another time") {
  DelayedFixture f;
  create_topic(f.engine, "gone");
  DelayedMessages delayed = f.open();
  const std::string id = must(delayed.schedule({.topic = "gone", .value = "v"}, 0ms));
  must(f.engine.admin().delete_topic("gone"));
  must(delayed.deliver());
  create_topic(f.engine, "gone");
  CHECK(must(delayed.reschedule(id, 10ms)));
  CHECK(must(delayed.count(DelayedListing::parked)) == 0);
  CHECK(must(delayed.deliver()) == 0);
  f.clock.advance_ms(10);
  CHECK(must(delayed.deliver()) == 1);
}

TEST_CASE("a record that its topic takes no more is parked") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "t", .value = "small"}, 0ms));
  must(delayed.schedule({.topic = "t", .value = std::string(5'000, 'x')}, 1ms));
  must(delayed.schedule({.topic = "t", .value = "last"}, 2ms));
  must(f.engine.admin().alter_config("t", {{"max.message.bytes", "1000"}}));
  f.clock.advance_ms(5);
  CHECK(must(delayed.deliver()) == 2);
  CHECK(f.delivered() == DelayedValues{"small", "last"});
  const auto parked = listed(delayed, DelayedListing::parked);
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].parked_for->code() == Errc::record_too_large);
}

TEST_CASE("a row that cannot be read is parked, can be cancelled, and stops no other") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  {
    TransactionalProducer producer = transactional(f.engine);
    Transaction transaction = must(producer.begin());
    must(flow::own_table(transaction, "__delayed:d")
             .put(flow::delayed_key({.due = at_ms(5), .id = "broken"}), "no message"));
    must(flow::own_table(transaction, "__delayed_ids:d").put("broken", flow::encode_due(at_ms(5))));
    must(transaction.commit());
  }
  must(delayed.schedule({.topic = "t", .value = "v"}, 0ms));
  CHECK(code_of(delayed.list(DelayedListing::pending, {}, 9)) == Errc::corrupt_metadata);
  CHECK(code_of(delayed.find("broken")) == Errc::corrupt_metadata);
  CHECK(code_of(delayed.reschedule("broken", 1h)) == Errc::corrupt_metadata);
  CHECK(must(delayed.deliver()) == 1);
  CHECK(f.delivered() == DelayedValues{"v"});
  const auto parked = listed(delayed, DelayedListing::parked);
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].parked_for->code() == Errc::corrupt_metadata);
  CHECK(code_of(delayed.retry_parked("broken")) == Errc::corrupt_metadata);
  CHECK(must(delayed.cancel("broken")));
  CHECK(must(delayed.count(DelayedListing::parked)) == 0);
}

}  // namespace seriatim::test
