// Crash simulation of the whole engine: power cuts and kills at every call, of recoveries too.
// SERIATIM_SEED repeats a history, SERIATIM_STATES asks for more of them.
#include <doctest/doctest.h>

#include "crash/power_histories.hpp"
#include "crash/power_scenario.hpp"

namespace seriatim::test {

TEST_CASE("INV-2, INV-3, INV-4, INV-5: appends, commits and rolls survive a crash at every call") {
  play_histories<PowerScenario>("crash.power appends", {});
}

TEST_CASE("INV-2, INV-3, INV-4, INV-5: topics, retention and compaction survive a crash at every call") {
  play_histories<PowerScenario>(
      "crash.power upkeep", {.append = 30, .commit = 5, .sync = 8, .roll = 8, .upkeep = 16, .topics = 12});
}

}  // namespace seriatim::test
