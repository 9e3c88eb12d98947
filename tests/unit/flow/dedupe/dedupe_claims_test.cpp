// Ids in hand: of two transactions at one time only one is told that it has the first.
#include <seriatim/flow/deduplicator.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unit/flow/dedupe/dedupe_fixture.hpp"

namespace seriatim::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

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
