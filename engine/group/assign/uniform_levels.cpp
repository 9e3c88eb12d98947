#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "group/assign/member_loads.hpp"
#include "group/assign/uniform_assignor.hpp"

namespace seriatim::group::assign {
namespace {

/// Rounds over all topics. As many as Kafka makes; a round that moves nothing is the last one.
constexpr int rounds_max = 16;

struct IsLighter {
  const MemberLoads& loads;
  bool operator()(std::size_t left, std::size_t right) const { return loads.load(left) < loads.load(right); }
};

/// One topic: its subscribers in the order of the loads that they have when it is served.
class TopicLevels {
 public:
  TopicLevels(const Roster& roster, MemberLoads& loads, std::size_t topic)
      : roster_(roster), loads_(loads), topic_(topic), subscribers_(roster.topics()[topic].subscribers) {
    std::stable_sort(subscribers_.begin(), subscribers_.end(), IsLighter{loads_});
  }

  /// Gives each to the subscriber with the fewest.
  void deal(const std::vector<Place>& places) {
    for (const auto& place : places) loads_.give(place, lightest());
  }

  /// Moves partitions from the subscribers with the most to those with the fewest, until they differ by at
  /// most one or have none of this topic to give. Returns whether it moved any.
  bool level() {
    bool has_moved = false;
    Shares owned = partitions_by_owner();
    std::vector<std::size_t> givers = subscribers_;
    while (!givers.empty()) {
      // The last one of those with the most.
      const auto heaviest = std::max_element(givers.rbegin(), givers.rend(), IsLighter{loads_});
      const std::size_t receiver = lightest();
      if (loads_.load(*heaviest) <= loads_.load(receiver) + 1) break;
      auto& places = owned[*heaviest];
      if (places.empty()) {
        // In this way, because Kafka does: the order of the others decides which of them gives first.
        *heaviest = givers.back();
        givers.pop_back();
        continue;
      }
      loads_.give(places.back(), receiver);
      owned[receiver].push_back(places.back());
      places.pop_back();
      has_moved = true;
    }
    return has_moved;
  }

 private:
  /// The first one of those with the fewest.
  std::size_t lightest() const {
    return *std::min_element(subscribers_.begin(), subscribers_.end(), IsLighter{loads_});
  }
  Shares partitions_by_owner() const {
    Shares owned(roster_.members().size());
    for (PartitionId partition = 0; partition < roster_.topics()[topic_].partitions; ++partition) {
      const Place place{topic_, partition};
      owned[*loads_.owner(place)].push_back(place);
    }
    return owned;
  }

  const Roster& roster_;
  MemberLoads& loads_;
  const std::size_t topic_;
  std::vector<std::size_t> subscribers_;
};

/// Topics with many partitions for each subscriber first, then those with few subscribers.
std::vector<std::size_t> topics_in_order(const Roster& roster) {
  std::vector<std::size_t> order(roster.topics().size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&roster](std::size_t topic) {
    const auto& found = roster.topics()[topic];
    const auto subscribers = static_cast<double>(found.subscribers.size());
    return std::tuple(-static_cast<double>(found.partitions) / subscribers, found.subscribers.size());
  };
  std::stable_sort(order.begin(), order.end(),
                   [&key](std::size_t left, std::size_t right) { return key(left) < key(right); });
  return order;
}

}  // namespace

Shares assign_by_levelling(const Roster& roster) {
  MemberLoads loads(roster);
  std::vector<std::vector<Place>> unowned(roster.topics().size());
  for (const auto& place : loads.take_owned()) unowned[place.topic].push_back(place);
  const auto topics = topics_in_order(roster);
  for (const std::size_t topic : topics) TopicLevels(roster, loads, topic).deal(unowned[topic]);
  bool has_moved = true;
  for (int round = 0; round < rounds_max && has_moved; ++round) {
    has_moved = false;
    for (const std::size_t topic : topics) {
      has_moved = TopicLevels(roster, loads, topic).level() || has_moved;
    }
  }
  return loads.shares();
}

}  // namespace seriatim::group::assign
