// Deduplication: a message has its effect once, however often and from wherever it comes.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Values = std::vector<std::string>;

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

}  // namespace seriatim::test
