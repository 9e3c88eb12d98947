#include "flow/dead_letters/letter_scan.hpp"

#include <doctest/doctest.h>

#include "unit/flow/dead_letters/letters_fixture.hpp"

namespace seriatim::test {
namespace {

TEST_CASE("a scan ends a page where it has looked at its most records, and goes on there") {
  const LettersFixture f;
  Producer producer = must(f.engine.producer());
  const std::vector<Record> batch(1'000, Record{.value = "v"});
  for (int i = 0; i < 11; ++i) must(producer.append({"in.DLQ", 0}, batch));
  f.bury("wanted", "rare");
  const flow::LetterScan scan = must(flow::LetterScan::open(f.engine, "in.DLQ", {.error_contains = "rare"}));
  const DeadLetterPage first = must(scan.next({}, 10));
  CHECK(first.letters.empty());
  REQUIRE(first.next);
  CHECK(first.next->offset == 10'000);
  const DeadLetterPage second = must(scan.next(*first.next, 10));
  REQUIRE(second.letters.size() == 1);
  CHECK(second.letters[0].value == "wanted");
  CHECK(!second.next);
}

TEST_CASE("letters of an open transaction are not there yet; purged ones are passed over") {
  const LettersFixture f;
  for (int i = 0; i < 3; ++i) f.bury(std::to_string(i), "e");
  must(f.engine.admin().delete_records({"in.DLQ", 0}, 1));
  TransactionalProducer producer = transactional(f.engine);
  Transaction transaction = must(producer.begin());
  send(transaction, "in.DLQ", "open");
  const flow::LetterScan scan = must(flow::LetterScan::open(f.engine, "in.DLQ", {}));
  CHECK(must(scan.next({}, 10)).letters.size() == 2);
  must(transaction.commit());
  CHECK(must(scan.next({}, 10)).letters.size() == 3);
}

}  // namespace
}  // namespace seriatim::test
