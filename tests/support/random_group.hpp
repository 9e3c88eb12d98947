// Consumer groups by chance, generation after generation, for tests of assignors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/assignor.hpp>

#include "support/random.hpp"

namespace seriatim::test {

/// A group of 1 to 16 members, which subscribe to some of the topics "a" to "f", and "x", which never exists.
/// They own what they were assigned last.
class RandomGroup {
 public:
  explicit RandomGroup(std::uint64_t seed) : random_(seed), is_alike_(random_.one_in(2)) {
    for (char topic = 'a'; topic <= 'f'; ++topic) {
      if (random_.one_in(2)) request_.partitions[std::string(1, topic)] = partition_count();
    }
    topics_of_all_ = some_topics();
    for (std::int64_t members = random_.between(1, 8); members > 0; --members) join();
  }

  const AssignmentRequest& request() const noexcept { return request_; }

  /// The members have what they were assigned.
  void settle(const Assignment& assignment) {
    for (auto& member : request_.members) {
      const auto assigned = assignment.find(member.member_id);
      member.owned = assigned != assignment.end() ? assigned->second : std::vector<TopicPartition>{};
    }
  }

  /// Something happens to the group.
  void change() {
    switch (random_.between(0, 7)) {
      case 0:
      case 1:
        join();
        break;
      case 2:
      case 3:
        leave();
        break;
      case 4:
        grow();
        break;
      case 5:
        subscribe_anew();
        break;
      case 6:
        any_member().owned.clear();
        break;
      default:
        leave(), join(), grow();
    }
  }

  /// Two members say that they own the same partition, as in no sound group.
  void claim_twice() {
    const auto& owned = any_member().owned;
    if (owned.empty()) return;
    const auto partition = owned[index_of(owned.size())];
    auto& claims = any_member().owned;
    if (std::find(claims.begin(), claims.end(), partition) == claims.end()) claims.push_back(partition);
  }

  void join() {
    if (request_.members.size() == ids_max) return;
    std::size_t id = index_of(ids_max);
    while (has_member(id)) id = (id + 1) % ids_max;
    GroupMember member{.member_id = name_of(id), .topics = is_alike_ ? topics_of_all_ : some_topics()};
    // Not in the order of the member ids.
    if (random_.one_in(4)) member.group_instance_id = "i" + std::to_string(id * 7 % ids_max);
    request_.members.push_back(std::move(member));
    std::sort(request_.members.begin(), request_.members.end(),
              [](const auto& left, const auto& right) { return left.member_id < right.member_id; });
  }

  void leave() {
    if (request_.members.size() == 1) return;
    const auto gone =
        request_.members.begin() + static_cast<std::ptrdiff_t>(index_of(request_.members.size()));
    request_.members.erase(gone);
  }

 private:
  static constexpr std::size_t ids_max = 16;

  /// Java's hash codes of these are 2'112 and the next 15 numbers: Kafka's hash tables have them in order.
  static std::string name_of(std::size_t id) { return std::string("A") + static_cast<char>('a' + id); }

  bool has_member(std::size_t id) const {
    return std::any_of(request_.members.begin(), request_.members.end(),
                       [id](const GroupMember& member) { return member.member_id == name_of(id); });
  }
  std::size_t index_of(std::size_t count) {
    return static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(count) - 1));
  }
  std::int32_t partition_count() {
    return static_cast<std::int32_t>(random_.one_in(3) ? random_.between(1, 30) : random_.between(1, 6));
  }
  GroupMember& any_member() { return request_.members[index_of(request_.members.size())]; }

  std::vector<std::string> some_topics() {
    std::vector<std::string> topics;
    for (const char topic : std::string("abcdefx")) {
      if (random_.one_in(topic == 'x' ? 8 : 2)) topics.emplace_back(1, topic);
    }
    if (topics.empty()) topics.emplace_back("a");
    return topics;
  }

  void grow() {
    auto& count = request_.partitions[std::string(1, static_cast<char>('a' + index_of(6)))];
    count += partition_count();
  }

  void subscribe_anew() {
    if (!is_alike_) {
      any_member().topics = some_topics();
      return;
    }
    topics_of_all_ = some_topics();
    for (auto& member : request_.members) member.topics = topics_of_all_;
  }

  Random random_;
  const bool is_alike_;  ///< All members subscribe to the same topics.
  std::vector<std::string> topics_of_all_;
  AssignmentRequest request_;
};

}  // namespace seriatim::test
