// The moves of one balancing, so that two partitions of a topic are not exchanged between two members.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <set>

#include "group/assign/roster.hpp"

namespace seriatim::group::assign {

class Moves {
 public:
  /// The partition to move to `to` instead of `place`: one of the same topic that came from `to` to where
  /// `place` came from, or is. Nothing: there is none.
  std::optional<Place> one_to_return(const Place& place, std::size_t owner, std::size_t to) const;
  /// A partition went from one member to another. Where it ends counts, and where it began.
  void note(const Place& place, std::size_t from, std::size_t to);

 private:
  struct Route {
    std::size_t topic = 0;
    std::size_t from = 0;
    std::size_t to = 0;
    auto operator<=>(const Route&) const = default;
  };

  std::map<Place, Route> routes_;
  std::map<Route, std::set<Place>> moved_;
};

}  // namespace seriatim::group::assign
