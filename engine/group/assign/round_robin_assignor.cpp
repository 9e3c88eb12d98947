#include "group/assign/round_robin_assignor.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace seriatim::group::assign {

Shares assign_in_turn(const Roster& roster) {
  Shares shares(roster.members().size());
  const auto circle = roster.static_members_first();
  std::size_t turn = 0;
  for (const auto& place : roster.places()) {
    const auto subscribes = [&](std::size_t member) {
      const auto& topics = roster.members()[member].topics;
      return std::binary_search(topics.begin(), topics.end(), place.topic);
    };
    while (!subscribes(circle[turn])) turn = (turn + 1) % circle.size();
    shares[circle[turn]].push_back(place);
    turn = (turn + 1) % circle.size();
  }
  return shares;
}

}  // namespace seriatim::group::assign
