#include "group/assign/range_assignor.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace seriatim::group::assign {

Shares assign_ranges(const Roster& roster) {
  Shares shares(roster.members().size());
  std::vector<std::size_t> rank(roster.members().size());
  const auto order = roster.static_members_first();
  for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  for (std::size_t topic = 0; topic < roster.topics().size(); ++topic) {
    auto subscribers = roster.topics()[topic].subscribers;
    std::sort(subscribers.begin(), subscribers.end(),
              [&rank](std::size_t left, std::size_t right) { return rank[left] < rank[right]; });
    const auto partitions = static_cast<std::size_t>(roster.topics()[topic].partitions);
    PartitionId next = 0;
    for (std::size_t i = 0; i < subscribers.size(); ++i) {
      const std::size_t extra = i < partitions % subscribers.size() ? 1 : 0;
      for (std::size_t n = partitions / subscribers.size() + extra; n > 0; --n) {
        shares[subscribers[i]].push_back({topic, next++});
      }
    }
  }
  return shares;
}

}  // namespace seriatim::group::assign
