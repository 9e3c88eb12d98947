#include <algorithm>
#include <cstddef>
#include <deque>
#include <tuple>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "group/assign/quotas.hpp"
#include "group/assign/sticky_assignor.hpp"

namespace seriatim::group::assign {
namespace {

/// Members that get partitions in turn: first round and round those below the minimum, then once each those
/// that have it, in the order in which they came to it.
class TurnTaking {
 public:
  explicit TurnTaking(const Kept& kept) : minimum_(kept.minimum) {
    for (std::size_t member = 0; member < kept.shares.size(); ++member) {
      const std::size_t size = kept.shares[member].size();
      if (size < minimum_) below_.push_back(member);
      if (size == minimum_) at_minimum_.push_back(member);
    }
  }

  std::size_t next_member() {
    auto& waiting = below_.empty() ? at_minimum_ : below_;
    SERIATIM_ASSERT(!waiting.empty());
    const std::size_t member = waiting.front();
    waiting.pop_front();
    return member;
  }
  /// The member got one.
  void note_size(std::size_t member, std::size_t size) {
    if (size < minimum_) below_.push_back(member);
    if (size == minimum_) at_minimum_.push_back(member);
  }

 private:
  const std::size_t minimum_;
  std::deque<std::size_t> below_;
  std::deque<std::size_t> at_minimum_;
};

/// Kafka keeps the partitions with low numbers of every topic before those with high ones.
std::vector<Place> by_number(std::vector<Place> places) {
  std::sort(places.begin(), places.end(), [](const Place& left, const Place& right) {
    return std::tie(left.partition, left.topic) < std::tie(right.partition, right.topic);
  });
  return places;
}

}  // namespace

Shares assign_by_quota(const Roster& roster) {
  Shares owned;
  for (const auto& member : roster.members()) owned.push_back(by_number(member.owned));
  auto kept = keep_by_quota(roster, owned);
  auto& to_deal = kept.unowned;
  to_deal.insert(to_deal.end(), kept.revoked.begin(), kept.revoked.end());
  std::sort(to_deal.begin(), to_deal.end());
  TurnTaking turns(kept);
  for (const auto& place : to_deal) {
    const std::size_t member = turns.next_member();
    kept.shares[member].push_back(place);
    turns.note_size(member, kept.shares[member].size());
  }
  return std::move(kept.shares);
}

}  // namespace seriatim::group::assign
