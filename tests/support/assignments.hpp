// Groups and assignments as short text: topics are single letters, "a0" is partition 0 of topic "a".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/assignor.hpp>
#include <seriatim/types.hpp>

namespace seriatim::test {

/// "a0 b12"
inline std::vector<TopicPartition> partitions_of(const std::string& text) {
  std::vector<TopicPartition> partitions;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    partitions.push_back({word.substr(0, 1), static_cast<PartitionId>(std::stoi(word.substr(1)))});
  }
  return partitions;
}

/// @param topics  "abc"
inline GroupMember group_member(std::string id, const std::string& topics, const std::string& owned = "",
                                std::optional<std::string> instance = std::nullopt) {
  GroupMember member{.member_id = std::move(id), .group_instance_id = std::move(instance)};
  for (const char topic : topics) member.topics.emplace_back(1, topic);
  member.owned = partitions_of(owned);
  return member;
}

/// C0, C1 and so on, one for each that is told what it owned, which subscribe to all topics.
inline AssignmentRequest group_alike(std::map<std::string, std::int32_t> partitions,
                                     const std::vector<std::string>& owned) {
  AssignmentRequest request{.partitions = std::move(partitions)};
  std::string topics;
  for (const auto& [topic, count] : request.partitions) topics += topic;
  for (const auto& of_one : owned) {
    request.members.push_back(group_member("C" + std::to_string(request.members.size()), topics, of_one));
  }
  return request;
}

/// "a0 a1 / - / b0": by member id.
inline std::string text_of(const Assignment& assignment) {
  std::string text;
  for (const auto& [member, partitions] : assignment) {
    if (!text.empty()) text += " / ";
    if (partitions.empty()) text += "-";
    for (const auto& at : partitions) {
      text += (&at == partitions.data() ? "" : " ") + at.topic + std::to_string(at.partition);
    }
  }
  return text;
}

}  // namespace seriatim::test
