// The assignor "range": the partitions of each topic in contiguous ranges.
#pragma once

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

/// Each topic for itself: its P partitions over its C subscribers, each gets P / C, the first P % C one more.
/// Static members come first. As in Kafka, the first members get the larger ranges of every topic, and what a
/// member owned counts for nothing: the broker's assignor of 4.4 moves as much as the consumer's.
/// Racks are not known here.
Shares assign_ranges(const Roster& roster);

}  // namespace seriatim::group::assign
