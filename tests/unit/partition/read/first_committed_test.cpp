#include "partition/read/first_committed.hpp"

#include <doctest/doctest.h>

#include "unit/partition/transactions_fixture.hpp"

namespace seriatim::test {
namespace {

using partition::find_first_committed;

std::optional<Offset> expected_from(const std::set<Offset>& shown, Offset from) {
  const auto found = shown.lower_bound(from);
  return found == shown.end() ? std::nullopt : std::optional<Offset>(*found);
}

TEST_CASE("the next committed record is the one that a reader would be shown, from anywhere") {
  Random random("first_committed");
  Transactions f(1'500);
  TransactionModel model(f, random, 4);
  for (int i = 0; i < 200; ++i) model.step();
  model.end_all();
  f.end(ControlType::abort, first_producer, 900);
  for (int restart = 0; restart < 2; ++restart) {
    const auto shown = committed_of(f.partition);
    for (Offset from = 0; from <= f.stable(); ++from)
      REQUIRE(must(find_first_committed(f.partition, from, f.stable())) == expected_from(shown, from));
    f.close();
    f.open();
  }
}

TEST_CASE("the next committed record is looked for from the log start on, and below the bound") {
  Transactions f(500);
  for (int i = 0; i < 10; ++i) f.put("k", std::string(100, 'v'));
  must(f.partition->advance_log_start(4));
  CHECK(must(find_first_committed(f.partition, 0, 10)) == 4);
  CHECK(must(find_first_committed(f.partition, 6, 7)) == 6);
  CHECK_FALSE(must(find_first_committed(f.partition, 7, 7)).has_value());
  CHECK_FALSE(must(find_first_committed(f.partition, 12, 10)).has_value());
}

TEST_CASE("records that compaction took out of a batch are not the next ones, those it left are") {
  Transactions f(300);
  f.request.config.cleanup_policy = CleanupPolicy::compact;
  f.partition->set_config(f.request.config);
  f.put({{"goes", "1"}, {"stays", "1"}, {"goes", "2"}, {"goes", "3"}});  // 0 to 3
  f.put("goes", "4");                                                    // 4
  f.put("goes", "5");                                                    // 5
  f.seal_all();
  REQUIRE(f.compact({.force = true}).ran);
  const auto next = [&](Offset from) { return must(find_first_committed(f.partition, from, f.stable())); };
  CHECK(next(0) == 1);
  CHECK(next(1) == 1);
  for (Offset from = 2; from <= 5; ++from) CHECK(next(from) == 5);
  CHECK_FALSE(next(6).has_value());
}

}  // namespace
}  // namespace seriatim::test
