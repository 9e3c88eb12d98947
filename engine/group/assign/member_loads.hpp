// The owners of partitions while these are dealt and moved, for rules that look at sizes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

class MemberLoads {
 public:
  /// @param roster  outlives the loads.
  explicit MemberLoads(const Roster& roster);

  /// Gives each member what it owned. Returns the places that nobody has, sorted.
  std::vector<Place> take_owned();
  std::size_t load(std::size_t member) const noexcept { return loads_[member]; }
  std::optional<std::size_t> owner(const Place& place) const { return slot(place); }
  /// Gives it to the member, and takes it from its owner if it has one.
  void give(const Place& place, std::size_t member);
  /// The subscriber with the fewest partitions, of several the one with the first id.
  std::size_t lightest_subscriber(std::size_t topic) const;
  /// Of the owners of its partitions. 0: nobody has any.
  std::size_t heaviest_load(std::size_t topic) const;
  Shares shares() const;

 private:
  const std::optional<std::size_t>& slot(const Place& place) const {
    return owners_[place.topic][static_cast<std::size_t>(place.partition)];
  }

  const Roster& roster_;
  std::vector<std::vector<std::optional<std::size_t>>> owners_;  ///< By topic and partition.
  std::vector<std::size_t> loads_;
};

}  // namespace seriatim::group::assign
