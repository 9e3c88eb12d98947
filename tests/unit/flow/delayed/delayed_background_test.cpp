// Deliveries in the background: a task of the engine.
#include <seriatim/flow/delayed_messages.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

namespace {

DelayedMessages open_in_background(const DelayedFixture& f) {
  return must(detail::DelayedMessagesImpl::open(f.engine, {.name = "d", .acks = Acks::leader}, f.now()));
}

}  // namespace

TEST_CASE("the background delivers what is due by itself, in due order, whoever scheduled it") {
  const OpenedEngine opened;
  DelayedMessages delayed = must(DelayedMessages::open(opened.engine, {.name = "d", .acks = Acks::leader}));
  std::vector<DelayedRecord> records;
  DelayedValues expected;
  for (int i = 0; i < 20; ++i) expected.push_back(std::to_string(i));
  for (int i = 19; i >= 0; --i) {
    records.push_back({.record = {.topic = "t", .value = expected[static_cast<std::size_t>(i)]},
                       .due = std::chrono::milliseconds(100 + 5 * i)});
  }
  must(delayed.schedule(records));
  CHECK(comes_true([&] { return delayed.metrics().delivered == 20; }));
  CHECK(committed_values(opened.engine, "t") == expected);

  TransactionalProducer producer = transactional(opened.engine);
  for (const bool is_woken : {false, true}) {
    Transaction transaction = must(producer.begin());
    must(delayed.schedule(transaction, {.topic = "t", .value = "in a transaction"}, 0ms));
    must(transaction.commit());
    if (is_woken) delayed.wake();
    CHECK(comes_true([&] { return delayed.metrics().delivered == (is_woken ? 22 : 21); }));
  }
  CHECK(delayed.metrics().failures == 0);
}

TEST_CASE("the background notices a jump of the clock") {
  const OpenedEngine opened;
  base::ManualClock clock(DelayedFixture::start_ms);
  DelayedMessages delayed = must(detail::DelayedMessagesImpl::open(
      opened.engine, {.name = "d", .acks = Acks::leader}, [&] { return at_ms(clock.wall_ms()); }));
  const auto shown = [&] { return committed_values(opened.engine, "t"); };
  must(delayed.schedule({.topic = "t", .value = "a"}, 24h));
  clock.set_wall_ms(DelayedFixture::start_ms + 86'400'000);
  CHECK(comes_true([&] { return shown() == DelayedValues{"a"}; }));
  must(delayed.schedule({.topic = "t", .value = "b"}, 1h));
  clock.set_wall_ms(DelayedFixture::start_ms);
  must(delayed.schedule({.topic = "t", .value = "c"}, 1h));
  clock.set_wall_ms(DelayedFixture::start_ms + 3'600'000);
  CHECK(comes_true([&] { return shown() == DelayedValues{"a", "c"}; }));
  CHECK(must(delayed.count()) == 1);
}

// The engine's own clock goes: tasks sleep by it.
TEST_CASE("a background that was fenced gives up, and its successor delivers") {
  const OpenedEngine opened;
  base::ManualClock clock(DelayedFixture::start_ms);
  const auto open = [&](bool delivers_in_background) {
    return must(detail::DelayedMessagesImpl::open(
        opened.engine, {.name = "d", .acks = Acks::leader, .delivers_in_background = delivers_in_background},
        [&] { return at_ms(clock.wall_ms()); }));
  };
  DelayedMessages first = open(true);
  must(first.schedule({.topic = "t", .value = "v"}, 1h));
  DelayedMessages second = open(false);
  clock.advance_ms(3'600'000);
  CHECK(comes_true([&] { return first.metrics().failures > 0; }));
  CHECK(must(second.deliver()) == 1);
  CHECK(committed_values(opened.engine, "t") == DelayedValues{"v"});
  CHECK(first.metrics().delivered == 0);
}

TEST_CASE("destroyed in the middle of a delivery, an object leaves each message delivered or pending") {
  for (int round = 0; round < 10; ++round) {
    DelayedFixture f;
    constexpr std::size_t messages = 700;
    {
      DelayedMessages delayed = open_in_background(f);
      must(delayed.schedule(std::vector<DelayedRecord>(messages, {.record = {.topic = "t", .value = "v"}})));
    }
    const auto delivered = f.delivered().size();
    DelayedMessages delayed = f.open();
    CHECK(must(delayed.count()) == messages - delivered);
    CHECK(must(delayed.deliver()) == messages - delivered);
    CHECK(f.delivered().size() == messages);
  }
}

TEST_CASE("the engine closes beside a background that delivers, and its owner can go later") {
  DelayedFixture f;
  DelayedMessages delayed = open_in_background(f);
  must(delayed.schedule(std::vector<DelayedRecord>(700, {.record = {.topic = "t", .value = "v"}})));
  must(f.engine.close());
  CHECK(code_of(delayed.deliver()) == Errc::closed);
}

}  // namespace seriatim::test
