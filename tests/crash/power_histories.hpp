// Many histories of one scenario, until as many states as CI asks for were recovered from.
// SERIATIM_SEED repeats a history, SERIATIM_STATES asks for more of them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "crash/power_run.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {

struct PlayedHistories {
  std::int64_t wanted = 0;
  std::int64_t states = 0;
  std::optional<std::string> failure{};
};

/// Each history has a seed of its own, so that the one that fails can be played alone.
template <class Scenario>
PlayedHistories play_power_histories(const char* name, const typename Scenario::Weights& weights) {
  constexpr int lives_of_a_history = 6;
  const char* asked = std::getenv("SERIATIM_STATES");
  PlayedHistories played{.wanted = asked != nullptr ? std::stoll(asked) : SERIATIM_POWER_STATES};
  std::uint64_t seed = Random(name).seed();
  const TempDir scratch(TempDir::in_memory());
  std::int64_t histories = 0;
  for (; played.states < played.wanted; ++seed, ++histories) {
    PowerRun<Scenario> run(scratch.path(), seed, weights);
    try {
      run.play(lives_of_a_history);
    } catch (const std::exception& failure) {
      played.failure = "history SERIATIM_SEED=" + std::to_string(seed) + ", after " +
                       std::to_string(run.states()) + " states: " + failure.what();
      return played;
    }
    played.states += run.states();
  }
  std::cerr << name << ": states: " << played.states << ", histories: " << histories << '\n';
  return played;
}

}  // namespace seriatim::test
