#include "group/assign/uniform_assignor.hpp"

#include <cstddef>
#include <vector>

#include "group/assign/quotas.hpp"

namespace seriatim::group::assign {
namespace {

/// How many partitions each member gets: the last ones that have no more than the minimum get the extras.
std::vector<std::size_t> final_sizes(const Kept& kept) {
  std::vector<std::size_t> sizes(kept.shares.size(), kept.minimum);
  std::size_t extras = kept.extras;
  for (std::size_t member = sizes.size(); member-- > 0;) {
    if (kept.shares[member].size() > kept.minimum) {
      sizes[member] = kept.shares[member].size();
    } else if (extras > 0) {
      ++sizes[member];
      --extras;
    }
  }
  return sizes;
}

}  // namespace

Shares assign_uniformly(const Roster& roster) {
  return roster.subscribes_alike() ? assign_equal_shares(roster) : assign_by_levelling(roster);
}

Shares assign_equal_shares(const Roster& roster) {
  Shares owned;
  for (const auto& member : roster.members()) owned.push_back(member.owned);
  auto kept = keep_by_quota(roster, owned);
  const auto sizes = final_sizes(kept);
  auto& to_deal = kept.unowned;
  to_deal.insert(to_deal.end(), kept.revoked.begin(), kept.revoked.end());
  auto next = to_deal.begin();
  for (std::size_t member = 0; member < sizes.size(); ++member) {
    while (kept.shares[member].size() < sizes[member]) kept.shares[member].push_back(*next++);
  }
  return kept.shares;
}

}  // namespace seriatim::group::assign
