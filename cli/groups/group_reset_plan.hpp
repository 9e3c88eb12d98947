// From a target and a choice of partitions to the offsets that `group reset` sets.
#pragma once

#include <string>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "groups/group_reset_target.hpp"

namespace seriatim::cli {

/// The partitions that a reset is about.
struct ResetScope {
  std::vector<std::string> topics{};  ///< "orders", "orders:0,2-5".
  bool all_topics = false;            ///< All of the group's; so it is where `topics` is empty.
};

struct ResetPlan {
  bool is_new_group = false;
  TopicPartitionOffsets offsets{};
  std::vector<std::string> notes{};  ///< For people: where it is not as asked for.
};

/// The offsets that the group would have. None is outside its log: one that is wished for beyond an end of it
/// is that end, and a note.
/// Errors: invalid_argument: the scope contradicts the target or itself; a shift of a partition that was
/// named and has no committed offset; a line of the file. not_found: an unknown group without topics; no such
/// file.
/// unknown_topic_or_partition, with the nearest name.
Result<ResetPlan> plan_reset(const Engine& engine, const std::string& group, const ResetTarget& target,
                             const ResetScope& scope);

}  // namespace seriatim::cli
