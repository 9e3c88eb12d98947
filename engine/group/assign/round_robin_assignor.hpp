// The assignor "roundrobin": all partitions in turn.
#pragma once

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

/// Deals all partitions, sorted, in a circle to the members, static ones first. A member that does not
/// subscribe to the topic is passed over, and loses its turn: as in Kafka, sizes are far apart where
/// subscriptions differ.
Shares assign_in_turn(const Roster& roster);

}  // namespace seriatim::group::assign
