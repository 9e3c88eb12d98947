// Crash simulation of the whole engine: power cuts and kills at every call, of recoveries too.
// SERIATIM_SEED repeats a history, SERIATIM_STATES asks for more of them.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "crash/power_run.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {
namespace {

constexpr int lives_of_a_history = 6;

std::int64_t states_wanted() {
  const char* asked = std::getenv("SERIATIM_STATES");
  if (asked != nullptr) return std::stoll(asked);
  return SERIATIM_POWER_STATES;
}

// Each history has a seed of its own, so that the one that fails can be played alone.
void play_histories(const char* name, const PowerWeights& weights) {
  std::uint64_t seed = Random(name).seed();
  const TempDir scratch(TempDir::in_memory());
  const std::int64_t wanted = states_wanted();
  std::int64_t states = 0;
  std::int64_t histories = 0;
  for (; states < wanted; ++seed, ++histories) {
    PowerRun run(scratch.path(), seed, weights);
    try {
      run.play(lives_of_a_history);
    } catch (const std::exception& failure) {
      FAIL("history SERIATIM_SEED=" << seed << ", after " << run.states()
                                    << " states: " << std::string(failure.what()));
    }
    states += run.states();
  }
  std::cerr << name << ": states: " << states << ", histories: " << histories << '\n';
  CHECK(states >= wanted);
}

}  // namespace

TEST_CASE("INV-2, INV-3, INV-4, INV-5: appends, commits and rolls survive a crash at every call") {
  play_histories("crash.power appends", {});
}

TEST_CASE("INV-2, INV-3, INV-4, INV-5: topics, retention and compaction survive a crash at every call") {
  play_histories("crash.power upkeep",
                 {.append = 30, .commit = 5, .sync = 8, .roll = 8, .upkeep = 16, .topics = 12});
}

}  // namespace seriatim::test
