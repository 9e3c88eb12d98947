#include "group/assign/quotas.hpp"

#include <algorithm>
#include <cstddef>

namespace seriatim::group::assign {

Kept keep_by_quota(const Roster& roster, const Shares& owned) {
  const std::size_t members = roster.members().size();
  Kept kept{.shares = Shares(members),
            .minimum = roster.partition_count() / members,
            .extras = roster.partition_count() % members};
  auto was_owned = roster.for_each_partition(false);
  for (std::size_t member = 0; member < members; ++member) {
    const std::size_t quota = kept.minimum + (kept.extras > 0 ? 1 : 0);
    const std::size_t count = std::min(owned[member].size(), quota);
    const auto end_of_kept = owned[member].begin() + static_cast<std::ptrdiff_t>(count);
    kept.shares[member].assign(owned[member].begin(), end_of_kept);
    kept.revoked.insert(kept.revoked.end(), end_of_kept, owned[member].end());
    if (count > kept.minimum) --kept.extras;
    for (const auto& place : owned[member]) {
      was_owned[place.topic][static_cast<std::size_t>(place.partition)] = true;
    }
  }
  for (const auto& place : roster.places()) {
    if (!was_owned[place.topic][static_cast<std::size_t>(place.partition)]) kept.unowned.push_back(place);
  }
  return kept;
}

}  // namespace seriatim::group::assign
