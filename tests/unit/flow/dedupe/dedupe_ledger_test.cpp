// Ids are counted when their transaction is committed, and not before.
#include "flow/dedupe/dedupe_ledger.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace seriatim::test {

TEST_CASE("a ledger counts what was committed: recorded, overwritten, erased") {
  using std::chrono::milliseconds;
  const Timestamp now{milliseconds(1'000)};
  flow::DedupeLedger ledger({.time = milliseconds(100), .count = 10});
  const flow::DedupeMark first = ledger.next(now);
  CHECK(ledger.counts().ids == 0);
  ledger.enter({.is_claimed = true, .recorded = first});
  CHECK(ledger.counts().ids == 1);
  CHECK(ledger.counts().firsts == 1);
  CHECK(ledger.holds(first, now));
  // Its row is written over once it has left the window.
  const Timestamp later = now + milliseconds(100);
  CHECK(ledger.outside(later) == 1);
  const flow::DedupeMark again = ledger.next(later);
  ledger.enter({.is_claimed = true, .before = first, .recorded = again});
  CHECK(ledger.counts().ids == 1);
  CHECK(ledger.counts().firsts == 2);
  CHECK(ledger.outside(later) == 0);
  CHECK(ledger.rewrites() == 1);
  // Only looked at.
  ledger.enter({.is_claimed = true, .before = again});
  CHECK(ledger.counts().ids == 1);
  CHECK(ledger.rewrites() == 1);
  ledger.enter({.is_claimed = true, .before = again, .is_erased = true});
  CHECK(ledger.counts().ids == 0);
  CHECK(ledger.rewrites() == 2);
  ledger.load(again);
  CHECK(ledger.counts().ids == 1);
  CHECK(ledger.counts().firsts == 2);
  ledger.count_duplicate();
  ledger.count_refusal();
  ledger.count_swept(5);
  CHECK(ledger.counts().duplicates == 1);
  CHECK(ledger.counts().refusals == 1);
  CHECK(ledger.counts().swept == 5);
}

}  // namespace seriatim::test
