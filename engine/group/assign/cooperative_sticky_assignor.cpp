#include "group/assign/cooperative_sticky_assignor.hpp"

#include <algorithm>
#include <cstddef>

#include "group/assign/sticky_assignor.hpp"

namespace seriatim::group::assign {

Shares assign_cooperatively(const Roster& roster) {
  auto shares = assign_sticky(roster);
  for (std::size_t member = 0; member < shares.size(); ++member) {
    const auto& claimed = roster.members()[member].claimed;
    std::erase_if(shares[member], [&](const Place& place) {
      if (std::binary_search(claimed.begin(), claimed.end(), place)) {
        return roster.claims(place) > 1 && roster.subscribes_alike();
      }
      return roster.claims(place) > 0;
    });
  }
  return shares;
}

}  // namespace seriatim::group::assign
