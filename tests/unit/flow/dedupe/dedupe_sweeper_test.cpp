// Ids that have left the window are erased, and no others.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

TEST_CASE("a sweep erases what has left the window, and nothing else") {
  DedupeFixture f;
  Deduplicator dedupe = f.open({.window_time = milliseconds(1'000)});
  for (int i = 0; i < 300; ++i) CHECK(send_once(dedupe, "old" + std::to_string(i), "v"));
  f.clock.advance_ms(500);
  for (int i = 0; i < 300; ++i) CHECK(send_once(dedupe, "new" + std::to_string(i), "v"));
  CHECK(must(dedupe.sweep()) == 0);
  f.clock.advance_ms(500);
  DedupeTransaction in_hand = must(dedupe.begin());
  CHECK(must(in_hand.check("old7")).is_first);
  CHECK(must(dedupe.sweep()) == 299);
  CHECK(dedupe.counts().ids == 301);
  must(in_hand.record("old7"));
  must(in_hand.commit());
  CHECK(dedupe.counts().ids == 301);
  CHECK(must(dedupe.sweep()) == 0);
  CHECK_FALSE(send_once(dedupe, "old7", "v"));
  CHECK_FALSE(send_once(dedupe, "new7", "v"));
  CHECK(send_once(dedupe, "old8", "v"));
  CHECK(dedupe.counts().swept == 299);
}

TEST_CASE("what has left the window is erased in the background, as soon as it is half of all") {
  const DedupeFixture f;
  Deduplicator dedupe = must(Deduplicator::open(f.engine, {.name = "shop", .window_count = 100}));
  for (int i = 0; i < 1'000; ++i) CHECK(send_once(dedupe, std::to_string(i), "v"));
  CHECK(comes_true([&] { return dedupe.counts().ids < 202; }));
  for (int i = 900; i < 1'000; ++i) CHECK_FALSE(send_once(dedupe, std::to_string(i), "v"));
}

TEST_CASE("an id that is recorded again while a sweep is under way stays") {
  const DedupeFixture f;
  std::int64_t now = 1'000;
  // The sweep asks for the time when it has read a page.
  std::function<void()> meanwhile;
  Deduplicator dedupe = must(detail::DeduplicatorImpl::open(
      f.engine, {.name = "shop", .window_time = milliseconds(10), .sweeps_in_background = false}, [&] {
        if (meanwhile) std::exchange(meanwhile, {})();
        return Timestamp(milliseconds(now));
      }));
  for (const char* const id : {"a", "b", "c"}) CHECK(send_once(dedupe, id, "v"));
  now += 10;
  meanwhile = [&] { CHECK(send_once(dedupe, "b", "v")); };
  CHECK(must(dedupe.sweep()) == 2);
  CHECK(dedupe.counts().ids == 1);
  CHECK_FALSE(send_once(dedupe, "b", "v"));
  CHECK(send_once(dedupe, "a", "v"));
}

TEST_CASE("sweeps beside transactions that record the same ids again lose none of them") {
  DedupeFixture f;
  Deduplicator dedupe = f.open({.window_time = milliseconds(10), .transactions = {.acks = Acks::leader}});
  CHECK(send_once(dedupe, "a", "v"));
  for (int i = 0; i < 300; ++i) {
    f.clock.advance_ms(10);
    std::thread sweeping([&] { must(dedupe.sweep()); });
    CHECK(send_once(dedupe, "a", "v"));
    sweeping.join();
    REQUIRE_FALSE(send_once(dedupe, "a", "v"));
    CHECK(dedupe.counts().ids == 1);
  }
}

TEST_CASE("a sweep is due when much has left the window, or something long ago") {
  DedupeFixture f;
  Deduplicator dedupe = f.open({.window_time = hours(4)});
  CHECK(send_once(dedupe, "a", "v"));
  f.clock.advance_ms(3 * 3'600'000);
  for (const char* const id : {"b", "c", "d"}) CHECK(send_once(dedupe, id, "v"));
  const auto run = [&] { return must(detail::DeduplicatorImpl::of(dedupe).sweeper().run()); };
  CHECK(run() == std::chrono::seconds(1));
  CHECK(dedupe.counts().ids == 4);
  f.clock.advance_ms(3'600'000);
  CHECK(run() == std::chrono::seconds(1));  // The first pass of all.
  CHECK(dedupe.counts().ids == 3);
  CHECK(send_once(dedupe, "e", "v"));
  CHECK(send_once(dedupe, "f", "v"));
  f.clock.advance_ms(3'599'999);
  must(dedupe.forget("b"));
  run();
  CHECK(dedupe.counts().ids == 4);
  f.clock.advance_ms(2 * 3'600'000 + 1);  // "c" and "d" have left.
  run();
  CHECK(dedupe.counts().ids == 2);
}

TEST_CASE("a deduplicator that is fenced sweeps no more, and says nothing") {
  const DedupeFixture f;
  Deduplicator older = f.open({.window_count = 1});
  CHECK(send_once(older, "a", "v"));
  CHECK(send_once(older, "b", "v"));
  const Deduplicator newer = f.open({.window_count = 1});
  CHECK(must(detail::DeduplicatorImpl::of(older).sweeper().run()) == std::chrono::nanoseconds::max());
  CHECK(newer.counts().ids == 2);
}

TEST_CASE("an id that was forgotten is a first again") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  CHECK(send_once(dedupe, "a", "1"));
  CHECK(must(dedupe.forget("a")));
  CHECK_FALSE(must(dedupe.forget("a")));
  CHECK(dedupe.counts().ids == 0);
  CHECK(send_once(dedupe, "a", "2"));
  DedupeTransaction work = must(dedupe.begin());
  CHECK(must(work.check("b")).is_first);
  CHECK(code_of(dedupe.forget("b")) == Errc::concurrent_transactions);
  CHECK(code_of(dedupe.forget("")) == Errc::invalid_argument);
}

TEST_CASE("a forget that waits for an id holds up no sweep and no other transaction") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.wait = hours(1)});
  DedupeTransaction work = must(dedupe.begin());
  must(work.once("a", sending("v", "r")));
  bool was_there = false;
  std::thread forgetting([&] { was_there = must(dedupe.forget("a")); });
  CHECK(must(dedupe.sweep()) == 0);
  TransactionalProducer producer = transactional(f.engine);
  { const DedupeTransaction joined = must(dedupe.join(must(producer.begin()))); }
  CHECK(send_once(dedupe, "b", "v"));
  must(work.commit());
  forgetting.join();
  // It came before the id was in hand, or behind its commit.
  CHECK(must(must(dedupe.begin()).check("a")).is_first == was_there);
}

}  // namespace seriatim::test
