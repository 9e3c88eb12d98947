// Crash simulation of transactions: power cuts and kills at every call, of recoveries too.
#include <doctest/doctest.h>

#include "crash/power_histories.hpp"
#include "crash/power_transactions_scenario.hpp"

namespace seriatim::test {

TEST_CASE("INV-1 to INV-5, INV-8: a transaction survives a crash at any call whole or not at all") {
  play_histories<TransactionScenario>("crash.power_transactions", {});
}

TEST_CASE("INV-2, INV-4, INV-8: transactions beside rolls, retention and topics that come and go") {
  play_histories<TransactionScenario>("crash.power_transactions upkeep",
                                      {.write = 24, .sync = 12, .roll = 8, .upkeep = 12, .topics = 10});
}

}  // namespace seriatim::test
