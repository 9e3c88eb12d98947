// The assignor "sticky" of Kafka's consumer: as balanced as can be, then as few moves as possible.
#pragma once

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

/// Picks the rule by whether all members subscribe to the same topics. Results are those of Kafka's consumer
/// 3.9 but for three cases. Where the order of a hash table decides there, the order of the ids does here. A
/// member that subscribes to nothing gets nothing; in Kafka it gets a full share, if it comes first. Some
/// groups with different subscriptions are balanced with which Kafka's assignor never ends.
Shares assign_sticky(const Roster& roster);

/// The rule for equal subscriptions: quotas, what is left dealt in turn.
Shares assign_by_quota(const Roster& roster);

/// The rule for different subscriptions: partitions are moved one by one until no move makes two members more
/// equal.
Shares assign_by_balancing(const Roster& roster);

}  // namespace seriatim::group::assign
