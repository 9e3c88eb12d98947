// Delayed messages: delivered once, when they are due, in the order of their due times.
#include <seriatim/flow/delayed_messages.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "unit/flow/delayed/delayed_fixture.hpp"

namespace seriatim::test {

using namespace std::chrono_literals;

TEST_CASE("a delayed message is appended when it is due, with all that it has, once") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  const std::vector<HeaderView> headers{{"h", "x"}, {"n", {}}};
  const std::string id = must(delayed.schedule(
      {.topic = "t", .key = "k", .value = "v", .partition = 0, .timestamp = at_ms(5), .headers = headers},
      10ms));
  CHECK(id.size() == 32);
  f.clock.advance_ms(9);
  CHECK(must(delayed.deliver()) == 0);
  CHECK(f.delivered().empty());
  CHECK(must(delayed.count()) == 1);
  f.clock.advance_ms(1);
  CHECK(must(delayed.deliver()) == 1);
  CHECK(must(delayed.deliver()) == 0);
  CHECK(must(delayed.count()) == 0);
  REQUIRE(f.delivered() == DelayedValues{"v"});
  const auto record = read_all(f.engine, "t")[0];
  CHECK(record.key == "k");
  CHECK(record.timestamp == at_ms(5));
  REQUIRE(record.headers.size() == 2);
  CHECK(record.headers[0].second == "x");
  CHECK_FALSE(record.headers[1].second);
  CHECK(must(f.engine.admin().list_states()).empty());
}

TEST_CASE("a message without a timestamp has that of its delivery") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "t", .value = "v"}, 1h));
  f.clock.advance_ms(3'600'123);
  must(delayed.deliver());
  CHECK(read_all(f.engine, "t")[0].timestamp == at_ms(DelayedFixture::start_ms + 3'600'123));
}

TEST_CASE("a restart keeps pending messages, and delivers what became due meanwhile") {
  DelayedFixture f;
  {
    DelayedMessages delayed = f.open();
    for (const char* value : {"a", "b", "c"}) must(delayed.schedule({.topic = "t", .value = value}, 10ms));
  }
  must(f.engine.close());
  f.clock.advance_ms(20);
  const Engine again = open_engine_with(f.dir / "data", os::posix_vfs(), f.clock);
  DelayedMessages delayed = f.open(again);
  CHECK(must(delayed.count()) == 3);
  CHECK(must(delayed.deliver()) == 3);
  CHECK(committed_values(again, "t") == DelayedValues{"a", "b", "c"});
}

TEST_CASE("a second object of a name fences the one before") {
  DelayedFixture f;
  DelayedMessages first = f.open();
  must(first.schedule({.topic = "t", .value = "v"}, 0ms, "x"));
  DelayedMessages second = f.open();
  CHECK(code_of(first.schedule({.topic = "t", .value = "w"}, 0ms)) == Errc::producer_fenced);
  CHECK(code_of(first.deliver()) == Errc::producer_fenced);
  CHECK(code_of(first.cancel("x")) == Errc::producer_fenced);
  CHECK(first.metrics().failures == 1);
  CHECK(must(second.deliver()) == 1);
  CHECK(f.delivered() == DelayedValues{"v"});
}

TEST_CASE("INV-4: a stop at any moment leaves a message pending, or delivered whole") {
  DelayedFixture f;
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "t", .value = "v"}, 0ms));
  for (const bool is_delivered : {false, true}) {
    if (is_delivered) must(delayed.deliver());
    const Engine after = open_engine_with(copy_of(f.engine, f.copies), os::posix_vfs(), f.clock);
    DelayedMessages restarted = f.open(after);
    CHECK(must(restarted.deliver()) == (is_delivered ? 0 : 1));
    CHECK(committed_values(after, "t") == DelayedValues{"v"});
  }
}

TEST_CASE("many threads schedule, cancel and deliver: each message is delivered once, or cancelled") {
  const DelayedFixture f;
  DelayedMessages delayed = f.open();
  constexpr int per_thread = 60;
  std::atomic<int> cancelled{0};
  std::atomic<int> running{3};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < per_thread; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        // Outside of doctest's own thread nothing is checked but by its effect.
        const auto scheduled = delayed.schedule({.topic = "t", .value = id}, 0ms, i % 2 == 0 ? id : "");
        if (!scheduled || i % 3 != 0) continue;
        const auto is_cancelled = delayed.cancel(*scheduled);
        if (is_cancelled && *is_cancelled) ++cancelled;
      }
      --running;
    });
  }
  std::uint64_t delivered = 0;
  while (running > 0) delivered += must(delayed.deliver());
  for (std::thread& thread : threads) thread.join();
  delivered += must(delayed.deliver());
  CHECK(delivered + static_cast<std::uint64_t>(cancelled) == 3 * per_thread);
  auto values = f.delivered();
  CHECK(values.size() == delivered);
  std::sort(values.begin(), values.end());
  CHECK(std::adjacent_find(values.begin(), values.end()) == values.end());
  CHECK(must(f.engine.admin().list_states()).empty());
}

TEST_CASE("no retention takes a pending message") {
  DelayedFixture f;
  create_topic(f.engine, "short", 1, {{"retention.ms", "1"}, {"retention.bytes", "1"}});
  DelayedMessages delayed = f.open();
  must(delayed.schedule({.topic = "short", .value = "v"}, std::chrono::hours(24 * 365)));
  f.clock.advance_ms(std::int64_t{24} * 365 * 3'600'000);
  must(f.engine.admin().apply_retention("short", true));
  CHECK(must(delayed.deliver()) == 1);
  CHECK(committed_values(f.engine, "short") == DelayedValues{"v"});
}

TEST_CASE("options of delayed messages out of range are refused") {
  const DelayedFixture f;
  CHECK(code_of(DelayedMessages::open(f.engine, {})) == Errc::invalid_argument);
  CHECK(code_of(DelayedMessages::open(f.engine, {.name = std::string(81, 'x')})) == Errc::invalid_argument);
  CHECK(code_of(DelayedMessages::open(f.engine, {.name = std::string("a\0b", 3)})) == Errc::invalid_argument);
  CHECK(code_of(DelayedMessages::open(f.engine, {.name = "n", .acks = Acks::none})) ==
        Errc::invalid_argument);
  CHECK(code_of(DelayedMessages::open(f.engine, {.name = "n", .acks = static_cast<Acks>(9)})) ==
        Errc::invalid_argument);
  CHECK(
      DelayedMessages::open(f.engine, {.name = std::string(80, 'x'), .delivers_in_background = false}).ok());
}

TEST_CASE("DelayedMessages that were moved from answer closed, or nothing") {
  const DelayedFixture f;
  DelayedMessages delayed = f.open();
  const DelayedMessages taken = std::move(delayed);
  // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  const ProducerRecord record{.topic = "t", .value = "v"};
  CHECK(code_of(delayed.schedule(record, 0ms)) == Errc::closed);
  CHECK(code_of(delayed.schedule(std::vector<DelayedRecord>{{.record = record}})) == Errc::closed);
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  CHECK(code_of(delayed.schedule(transaction, record, 0ms)) == Errc::closed);
  CHECK(code_of(delayed.cancel("x")) == Errc::closed);
  CHECK(code_of(delayed.reschedule("x", 0ms)) == Errc::closed);
  CHECK(code_of(delayed.retry_parked("x")) == Errc::closed);
  CHECK(code_of(delayed.find("x")) == Errc::closed);
  CHECK(code_of(delayed.list(DelayedListing::pending, {}, 1)) == Errc::closed);
  CHECK(code_of(delayed.count()) == Errc::closed);
  CHECK(code_of(delayed.deliver()) == Errc::closed);
  delayed.wake();
  CHECK(delayed.metrics().failures == 0);
  Engine engine = f.engine;
  const Engine other = std::move(engine);
  CHECK(code_of(DelayedMessages::open(engine, {.name = "n"})) == Errc::closed);
  CHECK(code_of(list_delayed_messages(engine, "n", DelayedListing::pending, {}, 1)) == Errc::closed);
  CHECK(code_of(count_delayed_messages(engine, "n")) == Errc::closed);
  CHECK(code_of(list_delayed_message_names(engine)) == Errc::closed);
  // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
}

TEST_CASE("after the engine's close delayed messages answer closed") {
  const DelayedFixture f;
  DelayedMessages delayed = f.open();
  must(f.engine.close());
  CHECK(code_of(delayed.schedule({.topic = "t", .value = "v"}, 0ms)) == Errc::closed);
  CHECK(code_of(delayed.deliver()) == Errc::closed);
  CHECK(code_of(delayed.count()) == Errc::closed);
}

}  // namespace seriatim::test
