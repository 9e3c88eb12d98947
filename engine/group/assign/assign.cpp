#include "group/assign/assign.hpp"

#include "base/assert.hpp"
#include "group/assign/cooperative_sticky_assignor.hpp"
#include "group/assign/range_assignor.hpp"
#include "group/assign/roster.hpp"
#include "group/assign/round_robin_assignor.hpp"
#include "group/assign/sticky_assignor.hpp"
#include "group/assign/uniform_assignor.hpp"

namespace seriatim::group::assign {
namespace {

Shares shares_of(Assignor assignor, const Roster& roster) {
  switch (assignor) {
    case Assignor::uniform:
      return assign_uniformly(roster);
    case Assignor::range:
      return assign_ranges(roster);
    case Assignor::roundrobin:
      return assign_in_turn(roster);
    case Assignor::sticky:
      return assign_sticky(roster);
    case Assignor::cooperative_sticky:
      return assign_cooperatively(roster);
  }
  SERIATIM_ASSERT(false);
  return {};
}

}  // namespace

Assignment assign(Assignor assignor, const AssignmentRequest& request) {
  const Roster roster(request);
  if (roster.members().empty()) return {};
  return roster.named(shares_of(assignor, roster));
}

}  // namespace seriatim::group::assign
