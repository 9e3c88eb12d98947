#include <algorithm>
#include <cstddef>
#include <tuple>
#include <vector>

#include "group/assign/member_loads.hpp"
#include "group/assign/moves.hpp"
#include "group/assign/sticky_assignor.hpp"

namespace seriatim::group::assign {
namespace {

/// The partition that a move gives back may have another owner than the one to be relieved, and a lighter
/// one. Kafka moves it all the same, which spares moves as a rule, and with some groups never ends. After
/// this many rounds we do not, and every move makes two members more equal. Arbitrary: of 28'000 random
/// groups the slowest that ended needed 9.
constexpr int rounds_as_kafka = 16;

/// One assignment in the making.
class Balancing {
 public:
  explicit Balancing(const Roster& roster) : roster_(roster), loads_(roster) {}

  Shares result() {
    const auto unassigned = in_order(loads_.take_owned());
    const bool begins_empty = unassigned.size() == roster_.partition_count();
    for (const auto& place : unassigned) loads_.give(place, loads_.lightest_subscriber(place.topic));
    const auto before = loads_;
    const auto score_before = score();
    is_balanced_ = find_balanced();
    // New partitions are moved first. Where members gave topics up, much moves anyway.
    if (!somebody_gave_up_topic()) move_to_lighter(unassigned);
    const bool has_moved = move_to_lighter(in_order(roster_.places()));
    if (!begins_empty && has_moved && score() >= score_before) return before.shares();
    return loads_.shares();
  }

 private:
  /// Topics with few subscribers first: there is less choice for them.
  std::vector<Place> in_order(std::vector<Place> places) const {
    const auto key = [this](const Place& place) {
      return std::tuple(roster_.topics()[place.topic].subscribers.size(), place);
    };
    std::sort(places.begin(), places.end(),
              [&key](const Place& left, const Place& right) { return key(left) < key(right); });
    return places;
  }

  bool somebody_gave_up_topic() const {
    return std::any_of(roster_.members().begin(), roster_.members().end(),
                       [](const RosterMember& member) { return member.gave_up_topic; });
  }

  /// No owner could give a partition to a subscriber without becoming the lighter of the two.
  bool find_balanced() const {
    for (std::size_t topic = 0; topic < roster_.topics().size(); ++topic) {
      if (loads_.heaviest_load(topic) > loads_.load(loads_.lightest_subscriber(topic)) + 1) return false;
    }
    return true;
  }

  /// Goes through the places until a round moves nothing, or all is balanced.
  bool move_to_lighter(const std::vector<Place>& places) {
    bool has_moved = false;
    for (bool moves = true; moves;) {
      moves = false;
      ++rounds_;
      for (auto place = places.begin(); place != places.end() && !is_balanced_; ++place) {
        if (!move_to_lightest(*place)) continue;
        moves = true;
        is_balanced_ = find_balanced();
      }
      has_moved = has_moved || moves;
    }
    return has_moved;
  }

  bool move_to_lightest(const Place& place) {
    const std::size_t owner = *loads_.owner(place);
    const std::size_t lightest = loads_.lightest_subscriber(place.topic);
    if (loads_.load(owner) <= loads_.load(lightest) + 1) return false;
    Place moved = moves_.one_to_return(place, owner, lightest).value_or(place);
    const bool helps = loads_.load(*loads_.owner(moved)) > loads_.load(lightest) + 1;
    if (!helps && rounds_ > rounds_as_kafka) moved = place;
    moves_.note(moved, *loads_.owner(moved), lightest);
    loads_.give(moved, lightest);
    return true;
  }

  /// The sum of the differences of all pairs of members that can take part: 0 is the best.
  std::size_t score() const {
    std::vector<std::size_t> sizes;
    for (std::size_t member = 0; member < roster_.members().size(); ++member) {
      if (can_change(member)) sizes.push_back(loads_.load(member));
    }
    std::sort(sizes.begin(), sizes.end());
    std::size_t sum = 0;
    std::size_t differences = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      differences += i * sizes[i] - sum;
      sum += sizes[i];
    }
    return differences;
  }

  /// Whether others subscribe to a topic of its.
  bool can_change(std::size_t member) const {
    const auto& topics = roster_.members()[member].topics;
    return std::any_of(topics.begin(), topics.end(),
                       [this](std::size_t topic) { return roster_.topics()[topic].subscribers.size() > 1; });
  }

  const Roster& roster_;
  MemberLoads loads_;
  Moves moves_;
  bool is_balanced_ = false;
  int rounds_ = 0;
};

}  // namespace

Shares assign_by_balancing(const Roster& roster) { return Balancing(roster).result(); }

}  // namespace seriatim::group::assign
