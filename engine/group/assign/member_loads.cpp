#include "group/assign/member_loads.hpp"

#include <algorithm>

namespace seriatim::group::assign {

MemberLoads::MemberLoads(const Roster& roster)
    : roster_(roster),
      owners_(roster.for_each_partition(std::optional<std::size_t>{})),
      loads_(roster.members().size(), 0) {}

std::vector<Place> MemberLoads::take_owned() {
  for (std::size_t member = 0; member < roster_.members().size(); ++member) {
    for (const auto& place : roster_.members()[member].owned) give(place, member);
  }
  auto free = roster_.places();
  std::erase_if(free, [this](const Place& place) { return owner(place).has_value(); });
  return free;
}

void MemberLoads::give(const Place& place, std::size_t member) {
  auto& slot = owners_[place.topic][static_cast<std::size_t>(place.partition)];
  if (slot) --loads_[*slot];
  slot = member;
  ++loads_[member];
}

std::size_t MemberLoads::lightest_subscriber(std::size_t topic) const {
  const auto& subscribers = roster_.topics()[topic].subscribers;
  return *std::min_element(subscribers.begin(), subscribers.end(),
                           [this](std::size_t left, std::size_t right) { return load(left) < load(right); });
}

std::size_t MemberLoads::heaviest_load(std::size_t topic) const {
  std::size_t heaviest = 0;
  for (const auto& owner : owners_[topic]) {
    if (owner) heaviest = std::max(heaviest, load(*owner));
  }
  return heaviest;
}

Shares MemberLoads::shares() const {
  Shares shares(loads_.size());
  for (const auto& place : roster_.places()) {
    if (const auto& owner = slot(place)) shares[*owner].push_back(place);
  }
  return shares;
}

}  // namespace seriatim::group::assign
