// Deduplication: a message has its effect once, however often and from wherever it comes.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <stdexcept>
#include <thread>

#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Values = std::vector<std::string>;

DedupeHandler sending(const std::string& value, const std::string& result) {
  return [value, result](Transaction& transaction) -> Result<std::optional<std::string>> {
    auto sent = transaction.send({.topic = "t", .value = value});
    if (!sent) return sent.error();
    return std::optional<std::string>(result);
  };
}

}  // namespace

TEST_CASE("a message that comes again has no effect again") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  CHECK(send_once(dedupe, "a", "1"));
  CHECK_FALSE(send_once(dedupe, "a", "2"));
  CHECK(send_once(dedupe, "b", "3"));
  CHECK(committed_values(f.engine, "t") == Values{"1", "3"});
  const DedupeCounts counts = dedupe.counts();
  CHECK(counts.firsts == 2);
  CHECK(counts.duplicates == 1);
  CHECK(counts.refusals == 0);
  CHECK(counts.ids == 2);
}

TEST_CASE("a duplicate is told the result and the time of the first") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction work = must(dedupe.begin());
  REQUIRE(must(work.check("a")).is_first);
  must(work.record("a", "answer"));
  REQUIRE(must(work.check("b")).is_first);
  must(work.record("b", ""));
  REQUIRE(must(work.check("c")).is_first);
  must(work.record("c"));
  must(work.commit());
  const Timestamp recorded{milliseconds(f.clock.wall_ms())};
  DedupeTransaction later = must(dedupe.begin());
  const DedupeSeen a = must(later.check("a"));
  CHECK_FALSE(a.is_first);
  CHECK(a.result == "answer");
  CHECK(a.time == recorded);
  CHECK(must(later.check("b")).result == "");
  CHECK(must(later.check("c")).result == std::nullopt);
}

TEST_CASE("an idempotent handler runs once, and its result is returned again") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  for (int i = 0; i < 3; ++i) {
    DedupeTransaction work = must(dedupe.begin());
    const DedupeSeen seen = must(work.once("a", sending("v", "done")));
    CHECK(seen.is_first == (i == 0));
    CHECK(seen.result == "done");
    must(work.commit());
  }
  CHECK(committed_values(f.engine, "t") == Values{"v"});
}

TEST_CASE("within one transaction an id that was recorded is a duplicate, one that was only checked is not") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction work = must(dedupe.begin());
  CHECK(must(work.check("a")).is_first);
  CHECK(must(work.check("a")).is_first);
  must(work.record("a", "r"));
  CHECK(must(work.check("a")).result == "r");
  must(work.record("a", "s"));
  CHECK(must(work.check("a")).result == "s");
  must(work.commit());
  CHECK(dedupe.counts().ids == 1);
}

TEST_CASE("an id of a transaction that was aborted, or given up, is a first again") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  {
    DedupeTransaction work = must(dedupe.begin());
    must(work.once("a", sending("aborted", "r")));
    must(work.abort());
  }
  {
    DedupeTransaction work = must(dedupe.begin());
    must(work.once("a", sending("given up", "r")));
  }
  CHECK(dedupe.counts().ids == 0);
  CHECK(send_once(dedupe, "a", "v"));
  CHECK(committed_values(f.engine, "t") == Values{"v"});
}

TEST_CASE("a handler that fails or throws records nothing") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  const auto attempt = [&](const DedupeHandler& handler) {
    DedupeTransaction work = must(dedupe.begin());
    return code_of(work.once("a", handler));
  };
  CHECK(attempt([](Transaction&) -> Result<std::optional<std::string>> {
          return Error(Errc::not_found, "no such customer");
        }) == Errc::not_found);
  CHECK(attempt([](Transaction&) -> Result<std::optional<std::string>> {
          throw std::runtime_error("thrown");
        }) == Errc::io_error);
  CHECK(attempt({}) == Errc::invalid_argument);
  CHECK(send_once(dedupe, "a", "v"));
}

TEST_CASE("an id in the hand of a transaction is refused to others until that ends") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction first = must(dedupe.begin());
  CHECK(must(first.check("a")).is_first);
  DedupeTransaction second = must(dedupe.begin());
  CHECK(code_of(second.check("a")) == Errc::concurrent_transactions);
  CHECK(must(second.check("b")).is_first);
  CHECK(dedupe.counts().refusals == 1);
  SUBCASE("it commits") {
    must(first.record("a"));
    must(first.commit());
    CHECK_FALSE(must(second.check("a")).is_first);
  }
  SUBCASE("it commits without the id") {
    must(first.commit());
    CHECK(must(second.check("a")).is_first);
  }
  SUBCASE("it aborts") {
    must(first.record("a"));
    must(first.abort());
    CHECK(must(second.check("a")).is_first);
  }
  SUBCASE("it is destroyed, its transaction committed beside it") {
    must(first.record("a"));
    must(first.transaction().commit());
    CHECK(code_of(second.check("a")) == Errc::concurrent_transactions);
    { const DedupeTransaction gone = std::move(first); }
    CHECK_FALSE(must(second.check("a")).is_first);
    CHECK(dedupe.counts().firsts == 1);
  }
}

TEST_CASE("a check waits for the transaction that has the id, if it is told to") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.wait = hours(1)});
  DedupeTransaction first = must(dedupe.begin());
  must(first.once("a", sending("v", "r")));
  std::optional<DedupeSeen> seen;
  std::atomic<bool> has_begun{false};
  std::thread other([&] {
    DedupeTransaction second = must(dedupe.begin());
    has_begun = true;
    seen = must(second.check("a"));
  });
  CHECK(comes_true([&] { return has_begun.load(); }));
  must(first.commit());
  other.join();
  REQUIRE(seen);
  CHECK_FALSE(seen->is_first);
  CHECK(seen->result == "r");
}

TEST_CASE("two transactions that wait for ids of one another end with an error, not in a deadlock") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.wait = milliseconds(20)});
  DedupeTransaction first = must(dedupe.begin());
  DedupeTransaction second = must(dedupe.begin());
  CHECK(must(first.check("a")).is_first);
  CHECK(must(second.check("b")).is_first);
  std::thread other([&] { CHECK(code_of(first.check("b")) == Errc::concurrent_transactions); });
  CHECK(code_of(second.check("a")) == Errc::concurrent_transactions);
  other.join();
}

TEST_CASE("as many transactions as allowed are open at a time") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.transactions_max = 2});
  std::optional<DedupeTransaction> first = must(dedupe.begin());
  DedupeTransaction second = must(dedupe.begin());
  CHECK(code_of(dedupe.begin()) == Errc::concurrent_transactions);
  must(first->commit());
  first = must(dedupe.begin());
  CHECK(code_of(dedupe.begin()) == Errc::concurrent_transactions);
  first.reset();
  CHECK(dedupe.begin().ok());
}

TEST_CASE("the application's own transaction can carry ids") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  TransactionalProducer producer = transactional(f.engine);
  DedupeTransaction work = must(dedupe.join(must(producer.begin())));
  must(work.once("a", sending("v", "r")));
  must(work.commit());
  CHECK_FALSE(send_once(dedupe, "a", "w"));
  CHECK(committed_values(f.engine, "t") == Values{"v"});
}

TEST_CASE("an id leaves the window by time") {
  DedupeFixture f;
  Deduplicator dedupe = f.open({.window_time = milliseconds(1'000)});
  CHECK(send_once(dedupe, "a", "1"));
  f.clock.advance_ms(999);
  CHECK_FALSE(send_once(dedupe, "a", "2"));
  f.clock.advance_ms(1);
  CHECK(send_once(dedupe, "a", "3"));
  CHECK(dedupe.counts().ids == 1);
  f.clock.advance_ms(999);
  CHECK_FALSE(send_once(dedupe, "a", "4"));
}

TEST_CASE("an id leaves the window by count") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.window_count = 2});
  for (const char* const id : {"a", "b", "c"}) CHECK(send_once(dedupe, id, id));
  CHECK_FALSE(send_once(dedupe, "b", "b"));
  CHECK_FALSE(send_once(dedupe, "c", "c"));
  CHECK(send_once(dedupe, "a", "a"));  // It has left; "b" leaves for it.
  CHECK(send_once(dedupe, "b", "b"));
  CHECK(committed_values(f.engine, "t") == Values{"a", "b", "c", "a", "b"});
}

TEST_CASE("a clock set forward forgets ids early, one set back remembers them longer") {
  DedupeFixture f;
  Deduplicator dedupe = f.open({.window_time = hours(1)});
  const std::int64_t began = f.clock.wall_ms();
  CHECK(send_once(dedupe, "a", "1"));
  f.clock.set_wall_ms(began - 100 * 3'600'000LL);
  CHECK_FALSE(send_once(dedupe, "a", "2"));
  CHECK(send_once(dedupe, "b", "3"));  // With the time that is set.
  f.clock.set_wall_ms(began);
  CHECK_FALSE(send_once(dedupe, "a", "4"));
  CHECK(send_once(dedupe, "b", "5"));
  f.clock.set_wall_ms(began + 3'600'000);
  CHECK(send_once(dedupe, "a", "6"));
  f.clock.set_wall_ms(began);
  CHECK_FALSE(send_once(dedupe, "a", "7"));
}

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

TEST_CASE("the window survives a restart, and a death of the process") {
  DedupeFixture f;
  std::optional<Deduplicator> dedupe = f.open({.window_count = 3});
  for (const char* const id : {"a", "b", "c", "d"}) CHECK(send_once(*dedupe, id, id));
  {
    DedupeTransaction open = must(dedupe->begin());
    must(open.once("e", sending("e", "r")));
    const Engine copy = open_engine(copy_of(f.engine, f.copies));
    Deduplicator again = f.open_in(copy, {.window_count = 3});
    CHECK(again.counts().ids == 4);
    CHECK_FALSE(send_once(again, "b", "b"));
    CHECK_FALSE(send_once(again, "d", "d"));
    CHECK(send_once(again, "e", "e"));
    CHECK(send_once(again, "a", "a"));
  }
  dedupe.reset();
  must(f.engine.close());
  const Engine reopened = open_engine(f.dir / "data");
  Deduplicator again = f.open_in(reopened, {.window_count = 3});
  CHECK_FALSE(send_once(again, "b", "b"));
  CHECK_FALSE(send_once(again, "d", "d"));
  CHECK(send_once(again, "e", "e"));
}

TEST_CASE("of two instances of a name the older one is fenced, and what it had begun is aborted") {
  const DedupeFixture f;
  Deduplicator older = f.open({.transactions_max = 8});
  std::vector<DedupeTransaction> begun;
  for (int i = 0; i < 8; ++i) {
    begun.push_back(must(older.begin()));
    must(begun.back().once("a" + std::to_string(i), sending("older", "r")));
  }
  Deduplicator newer = f.open({.transactions_max = 1});
  for (DedupeTransaction& work : begun) {
    CHECK(code_of(work.check("z")) == Errc::producer_fenced);
    CHECK(code_of(work.commit()) == Errc::producer_fenced);
  }
  begun.clear();
  CHECK(code_of(older.begin()) == Errc::producer_fenced);
  CHECK(code_of(older.sweep()) == Errc{});  // There is nothing to sweep.
  CHECK(code_of(older.forget("a0")) == Errc::producer_fenced);
  TransactionalProducer producer = transactional(f.engine);
  CHECK(code_of(older.join(must(producer.begin()))) == Errc::producer_fenced);
  for (int i = 0; i < 8; ++i) CHECK(send_once(newer, "a" + std::to_string(i), "newer"));
  CHECK(committed_values(f.engine, "t") == Values(8, "newer"));
}

TEST_CASE("names whose one is the beginning of another do not fence each other") {
  const DedupeFixture f;
  Deduplicator one = must(Deduplicator::open(f.engine, {.name = "a"}));
  Deduplicator two = must(Deduplicator::open(f.engine, {.name = "a:1"}));
  Deduplicator again = must(Deduplicator::open(f.engine, {.name = "a"}));
  CHECK(send_once(two, "x", "v"));
  CHECK(send_once(again, "x", "v"));
  CHECK(code_of(one.begin()) == Errc::producer_fenced);
}

TEST_CASE("what one transaction can not take leaves it as it was") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.result_bytes_max = 10});
  DedupeTransaction work = must(dedupe.begin());
  CHECK(code_of(work.record("a")) == Errc::invalid_state);
  CHECK(must(work.check("a")).is_first);
  CHECK(code_of(work.record("a", "12345678901")) == Errc::record_too_large);
  CHECK(must(work.check("a")).is_first);
  must(work.record("a", "1234567890"));
  CHECK(code_of(work.check("")) == Errc::invalid_argument);
  CHECK(code_of(work.check(std::string(401, 'x'))) == Errc::invalid_argument);
  CHECK(must(work.check(std::string(400, 'x'))).is_first);
  must(work.commit());
  CHECK(code_of(work.check("b")) == Errc::invalid_txn_state);
  CHECK(code_of(work.record("b")) == Errc::invalid_txn_state);
  must(work.commit());
  CHECK(code_of(work.abort()) == Errc::invalid_txn_state);
}

TEST_CASE("a topic that is not there is the error of the handler, and the id stays free") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  {
    DedupeTransaction work = must(dedupe.begin());
    const auto sent = work.once("a", [](Transaction& transaction) -> Result<std::optional<std::string>> {
      auto done = transaction.send({.topic = "no", .value = "v"});
      if (!done) return done.error();
      return std::optional<std::string>();
    });
    CHECK(code_of(sent) == Errc::unknown_topic_or_partition);
  }
  CHECK(send_once(dedupe, "a", "v"));
}

TEST_CASE("transactions outlive their deduplicator") {
  const DedupeFixture f;
  std::optional<Deduplicator> dedupe = f.open();
  DedupeTransaction work = must(dedupe->begin());
  DedupeTransaction given_up = must(dedupe->begin());
  must(work.once("a", sending("v", "r")));
  must(given_up.once("b", sending("w", "r")));
  dedupe.reset();
  must(work.commit());
  { const DedupeTransaction gone = std::move(given_up); }
  Deduplicator again = f.open();
  CHECK_FALSE(send_once(again, "a", "v"));
  CHECK(send_once(again, "b", "w"));
}

TEST_CASE("transactions that are destroyed behind the close of their engine end there") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction work = must(dedupe.begin());
  must(work.once("a", sending("v", "r")));
  must(f.engine.close());
  CHECK(code_of(work.check("b")) == Errc::closed);
  CHECK(code_of(work.commit()) == Errc::closed);
  CHECK(code_of(dedupe.begin()) == Errc::closed);
}

TEST_CASE("options of a deduplicator out of their range are refused") {
  const DedupeFixture f;
  const auto refused = [&](DeduplicatorOptions options) {
    return code_of(Deduplicator::open(f.engine, std::move(options)));
  };
  CHECK(refused({}) == Errc::invalid_argument);
  CHECK(refused({.name = std::string(81, 'x')}) == Errc::invalid_argument);
  CHECK(refused({.name = std::string("a\0b", 3)}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .window_time = milliseconds(0)}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .window_count = 0}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .result_bytes_max = 1'000'001}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions_max = 0}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions_max = 65}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .wait = milliseconds(-1)}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions = {.transactional_id = "x"}}) == Errc::invalid_argument);
  CHECK(refused({.name = "a", .transactions = {.acks = Acks::none}}) == Errc::invalid_argument);
  must(Deduplicator::open(f.engine, {.name = std::string(80, 'x'),
                                     .window_time = milliseconds::max(),
                                     .window_count = std::numeric_limits<std::uint64_t>::max(),
                                     .wait = milliseconds::max()}));
}

TEST_CASE("handles that were moved from answer closed") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open();
  DedupeTransaction work = must(dedupe.begin());
  { const DedupeTransaction taken = std::move(work); }
  { const Deduplicator taken = std::move(dedupe); }
  CHECK(code_of(work.check("a")) == Errc::closed);
  CHECK(code_of(work.record("a")) == Errc::closed);
  CHECK(code_of(work.once("a", sending("v", "r"))) == Errc::closed);
  CHECK(code_of(work.commit()) == Errc::closed);
  CHECK(code_of(work.abort()) == Errc::closed);
  CHECK(code_of(dedupe.begin()) == Errc::closed);
  CHECK(code_of(dedupe.forget("a")) == Errc::closed);
  CHECK(code_of(dedupe.sweep()) == Errc::closed);
  CHECK(dedupe.counts().ids == 0);
}

TEST_CASE("threads that send the same messages at once give each its effect once") {
  const DedupeFixture f;
  Deduplicator dedupe = f.open({.wait = hours(1), .transactions = {.acks = Acks::leader}});
  constexpr int messages = 100;
  std::atomic<int> firsts{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < messages; ++i)
        firsts += send_once(dedupe, "m" + std::to_string(i), std::to_string(i)) ? 1 : 0;
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 20; ++i) must(dedupe.sweep());
  });
  for (std::thread& thread : threads) thread.join();
  CHECK(firsts == messages);
  CHECK(committed_values(f.engine, "t").size() == messages);
}

}  // namespace seriatim::test
