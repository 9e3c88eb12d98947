// Equal subscriptions: every member gets the same number of partitions, or one more.
#pragma once

#include <cstddef>
#include <vector>

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

/// The partitions that members keep, and those to be dealt.
struct Kept {
  Shares shares{};
  std::vector<Place> unowned{};  ///< Nobody owned these. Sorted.
  std::vector<Place> revoked{};  ///< Their owners have too many. In the order of the owners.
  std::size_t minimum = 0;       ///< Every member gets this many,
  std::size_t extras = 0;        ///< and of the members that have no more than that, this many get one more.
};

/// Each member in turn keeps the first of its partitions, up to one more than the minimum while such extras
/// are left, and up to the minimum then.
/// @param roster  whose members all subscribe to the same topics; there is at least one.
/// @param owned  what each member owned, in the order in which it is kept.
Kept keep_by_quota(const Roster& roster, const Shares& owned);

}  // namespace seriatim::group::assign
