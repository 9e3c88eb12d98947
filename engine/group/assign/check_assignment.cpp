#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "group/assign/assign.hpp"

namespace seriatim::group::assign {
namespace {

Error refused(const TopicPartition& at, const std::string& wrong, const std::string& to_do) {
  return {Errc::invalid_argument, "the application's assignor: partition " + at.topic + "-" +
                                      std::to_string(at.partition) + " " + wrong + "; " + to_do};
}

/// Owners by partition, as far as an answer was checked.
using Owners = std::map<TopicPartition, std::string_view>;

Result<> check_owner(const AssignmentRequest& request, const GroupMember& member, const TopicPartition& at) {
  const std::string name = "member '" + member.member_id + "'";
  const auto topic = request.partitions.find(at.topic);
  if (topic == request.partitions.end()) {
    return refused(at, "was given to " + name + ", and there is no such topic",
                   "assign topics of AssignmentRequest::partitions only");
  }
  if (at.partition < 0 || at.partition >= topic->second) {
    return refused(
        at, "was given to " + name + ", and the topic has " + std::to_string(topic->second) + " partitions",
        "assign partitions from 0 to the count less one");
  }
  if (std::find(member.topics.begin(), member.topics.end(), at.topic) == member.topics.end()) {
    return refused(at, "was given to " + name + ", which does not subscribe to the topic",
                   "give it to a member with the topic in GroupMember::topics");
  }
  return {};
}

Result<> check_member(const AssignmentRequest& request, const Assignment::value_type& assigned,
                      Owners& owners) {
  const auto& [id, partitions] = assigned;
  const auto member = std::find_if(
      request.members.begin(), request.members.end(),
      [&wanted = assigned.first](const GroupMember& candidate) { return candidate.member_id == wanted; });
  if (member == request.members.end()) {
    return Error(Errc::invalid_argument, "the application's assignor: the group has no member '" + id +
                                             "'; answer with the ids of AssignmentRequest::members");
  }
  for (const auto& at : partitions) {
    if (auto checked = check_owner(request, *member, at); !checked) return checked;
    const auto [owner, is_new] = owners.emplace(at, id);
    if (!is_new) {
      return refused(at,
                     "was given to member '" + std::string(owner->second) + "' and to member '" + id + "'",
                     "give each partition to one member, once");
    }
  }
  return {};
}

}  // namespace

Result<> check_assignment(const AssignmentRequest& request, const Assignment& assignment) {
  Owners owners;
  for (const auto& assigned : assignment) {
    if (auto checked = check_member(request, assigned, owners); !checked) return checked;
  }
  std::map<std::string_view, std::string_view> subscribers;
  for (const auto& member : request.members) {
    for (const auto& topic : member.topics) subscribers.emplace(topic, member.member_id);
  }
  for (const auto& [topic, count] : request.partitions) {
    const auto subscriber = subscribers.find(topic);
    if (subscriber == subscribers.end()) continue;
    for (TopicPartition at{topic, 0}; at.partition < count; ++at.partition) {
      if (owners.contains(at)) continue;
      return refused(
          at,
          "was given to nobody, and member '" + std::string(subscriber->second) + "' subscribes to the topic",
          "give every partition of a subscribed topic to a subscriber");
    }
  }
  return {};
}

}  // namespace seriatim::group::assign
