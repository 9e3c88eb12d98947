// The assignor "cooperative-sticky" of Kafka's consumer.
#pragma once

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

/// As sticky, but for the partitions that another member still has: they are left out, so that it gives them
/// up first. Asked again with what the members have then, it assigns them; where subscriptions differ, it may
/// then leave out others, so that some groups need more than two rounds.
///
/// As in Kafka, a partition that two members claim is left out where all subscribe alike; where subscriptions
/// differ, it is assigned at once if it falls to one of the two.
Shares assign_cooperatively(const Roster& roster);

}  // namespace seriatim::group::assign
