#include "group/assign/roster.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace seriatim::group::assign {
namespace {

std::set<std::string_view> names_of(const GroupMember& member) {
  return {member.topics.begin(), member.topics.end()};
}

std::optional<Place> place_of(const std::vector<RosterTopic>& topics, const TopicPartition& named) {
  const auto topic = std::lower_bound(
      topics.begin(), topics.end(), named.topic,
      [](const RosterTopic& candidate, std::string_view name) { return candidate.name < name; });
  if (topic == topics.end() || topic->name != named.topic) return std::nullopt;
  if (named.partition < 0 || named.partition >= topic->partitions) return std::nullopt;
  return Place{static_cast<std::size_t>(topic - topics.begin()), named.partition};
}

}  // namespace

Roster::Roster(const AssignmentRequest& request) {
  members_.reserve(request.members.size());
  for (const auto& member : request.members) members_.push_back({.given = &member});
  std::sort(members_.begin(), members_.end(), [](const RosterMember& left, const RosterMember& right) {
    return left.given->member_id < right.given->member_id;
  });
  find_topics(request);
  find_claims();
  find_owned();
}

void Roster::find_topics(const AssignmentRequest& request) {
  std::map<std::string_view, std::vector<std::size_t>> subscribers;
  for (std::size_t member = 0; member < members_.size(); ++member) {
    const auto names = names_of(*members_[member].given);
    subscribes_alike_ = subscribes_alike_ && names == names_of(*members_.front().given);
    for (const auto name : names) subscribers[name].push_back(member);
  }
  for (auto& [name, members] : subscribers) {
    const auto found = request.partitions.find(std::string(name));
    if (found == request.partitions.end() || found->second <= 0) continue;
    for (const std::size_t member : members) members_[member].topics.push_back(topics_.size());
    topics_.push_back({.name = name, .partitions = found->second, .subscribers = std::move(members)});
  }
}

void Roster::find_claims() {
  claims_ = for_each_partition<unsigned char>(0);
  for (auto& member : members_) {
    auto& claimed = member.claimed;
    for (const auto& named : member.given->owned) {
      if (const auto place = place_of(topics_, named)) claimed.push_back(*place);
    }
    std::sort(claimed.begin(), claimed.end());
    claimed.erase(std::unique(claimed.begin(), claimed.end()), claimed.end());
    for (const auto& place : claimed) {
      auto& claims = claims_[place.topic][static_cast<std::size_t>(place.partition)];
      claims = claims == 0 ? 1 : 2;
    }
  }
}

void Roster::find_owned() {
  for (auto& member : members_) {
    for (const auto& place : member.claimed) {
      if (claims(place) > 1) continue;
      const bool subscribes = std::binary_search(member.topics.begin(), member.topics.end(), place.topic);
      if (subscribes) member.owned.push_back(place);
      member.gave_up_topic = member.gave_up_topic || !subscribes;
    }
  }
}

unsigned Roster::claims(const Place& place) const {
  return claims_[place.topic][static_cast<std::size_t>(place.partition)];
}

std::size_t Roster::partition_count() const noexcept {
  return std::accumulate(topics_.begin(), topics_.end(), std::size_t{0},
                         [](std::size_t sum, const RosterTopic& topic) {
                           return sum + static_cast<std::size_t>(topic.partitions);
                         });
}

std::vector<Place> Roster::places() const {
  std::vector<Place> all;
  all.reserve(partition_count());
  for (std::size_t topic = 0; topic < topics_.size(); ++topic) {
    for (PartitionId partition = 0; partition < topics_[topic].partitions; ++partition) {
      all.push_back({topic, partition});
    }
  }
  return all;
}

std::vector<std::size_t> Roster::static_members_first() const {
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [this](std::size_t member) {
    const auto& instance = members_[member].given->group_instance_id;
    return std::tuple(!instance.has_value(), instance ? std::string_view(*instance) : std::string_view());
  };
  std::stable_sort(order.begin(), order.end(),
                   [&key](std::size_t left, std::size_t right) { return key(left) < key(right); });
  return order;
}

Assignment Roster::named(const Shares& shares) const {
  Assignment result;
  for (std::size_t member = 0; member < members_.size(); ++member) {
    auto sorted = shares[member];
    std::sort(sorted.begin(), sorted.end());
    auto& names = result[members_[member].given->member_id];
    names.reserve(sorted.size());
    for (const auto& place : sorted) {
      names.push_back({std::string(topics_[place.topic].name), place.partition});
    }
  }
  return result;
}

}  // namespace seriatim::group::assign
