#include "group/progress_source.hpp"

#include <algorithm>

namespace seriatim::group {
namespace {

Result<Offset> needed_of(const std::string& group, const TopicPartition& at,
                         std::span<const ProgressSource* const> sources) {
  std::optional<Offset> lowest;
  for (const ProgressSource* source : sources) {
    auto needed = source->needed_from(group, at);
    if (!needed) return needed.error();
    if (*needed) lowest = std::min(lowest.value_or(**needed), **needed);
  }
  return lowest.value_or(0);
}

}  // namespace

Result<std::optional<GroupNeed>> slowest_of(const std::vector<std::string>& groups, const TopicPartition& at,
                                            std::span<const ProgressSource* const> sources) {
  std::optional<GroupNeed> slowest;
  for (const std::string& group : groups) {
    auto needed = needed_of(group, at, sources);
    if (!needed) return needed.error();
    if (!slowest || *needed < slowest->from) slowest = GroupNeed{group, *needed};
  }
  return slowest;
}

}  // namespace seriatim::group
