// The assignor "uniform" of Kafka's group coordinator: equal sizes first, then as few moves as possible.
#pragma once

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

/// Picks the rule by whether all members subscribe to the same topics.
Shares assign_uniformly(const Roster& roster);

/// The rule for equal subscriptions. Members are served in the order of their ids. Partitions that nobody
/// owned are dealt before those that an owner has too many of, and the larger shares go to the last members
/// that may have one: as Kafka's assignor does, which takes the members in the order of its hash table.
Shares assign_equal_shares(const Roster& roster);

/// The rule for different subscriptions: topic by topic, the partitions that nobody has go to the subscribers
/// with the fewest partitions, then subscribers with the most give up to those with the fewest.
Shares assign_by_levelling(const Roster& roster);

}  // namespace seriatim::group::assign
