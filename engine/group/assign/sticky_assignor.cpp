#include "group/assign/sticky_assignor.hpp"

namespace seriatim::group::assign {

Shares assign_sticky(const Roster& roster) {
  return roster.subscribes_alike() ? assign_by_quota(roster) : assign_by_balancing(roster);
}

}  // namespace seriatim::group::assign
