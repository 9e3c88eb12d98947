// Many histories of one scenario, until as many states as CI asks for were recovered from.
// SERIATIM_SEED repeats a history, SERIATIM_STATES asks for more of them.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

#include "crash/power_run.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {

/// Each history has a seed of its own, so that the one that fails can be played alone.
template <class Scenario>
void play_histories(const char* name, const typename Scenario::Weights& weights) {
  constexpr int lives_of_a_history = 6;
  const char* asked = std::getenv("SERIATIM_STATES");
  const std::int64_t wanted = asked != nullptr ? std::stoll(asked) : SERIATIM_POWER_STATES;
  std::uint64_t seed = Random(name).seed();
  const TempDir scratch(TempDir::in_memory());
  std::int64_t states = 0;
  std::int64_t histories = 0;
  for (; states < wanted; ++seed, ++histories) {
    PowerRun<Scenario> run(scratch.path(), seed, weights);
    std::optional<std::string> failure;
    try {
      run.play(lives_of_a_history);
    } catch (const std::exception& thrown) {
      failure = thrown.what();
    }
    if (failure)
      FAIL("history SERIATIM_SEED=" << seed << ", after " << run.states() << " states: " << *failure);
    states += run.states();
  }
  std::cerr << name << ": states: " << states << ", histories: " << histories << '\n';
  CHECK(states >= wanted);
}

}  // namespace seriatim::test
