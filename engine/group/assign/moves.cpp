#include "group/assign/moves.hpp"

namespace seriatim::group::assign {

std::optional<Place> Moves::one_to_return(const Place& place, std::size_t owner, std::size_t to) const {
  const auto route = routes_.find(place);
  const std::size_t from = route != routes_.end() ? route->second.from : owner;
  const auto reverse = moved_.find({place.topic, to, from});
  if (reverse == moved_.end() || reverse->second.empty()) return std::nullopt;
  return *reverse->second.begin();
}

void Moves::note(const Place& place, std::size_t from, std::size_t to) {
  if (const auto known = routes_.find(place); known != routes_.end()) {
    from = known->second.from;
    moved_[known->second].erase(place);
    routes_.erase(known);
    if (from == to) return;
  }
  const Route route{place.topic, from, to};
  routes_.emplace(place, route);
  moved_[route].insert(place);
}

}  // namespace seriatim::group::assign
