// A group in numbers: members in the order of their ids, topics in the order of their names.
#pragma once

#include <compare>
#include <cstddef>
#include <string_view>
#include <vector>

#include <seriatim/assignor.hpp>
#include <seriatim/types.hpp>

namespace seriatim::group::assign {

/// A partition, by the number of its topic.
struct Place {
  std::size_t topic = 0;
  PartitionId partition = 0;
  auto operator<=>(const Place&) const = default;
};

/// An assignment: places by the number of the member.
using Shares = std::vector<std::vector<Place>>;

struct RosterMember {
  const GroupMember* given = nullptr;
  std::vector<std::size_t> topics{};  ///< Sorted.
  std::vector<Place> claimed{};       ///< All that it is said to own. Sorted.
  /// The part of it that it may keep: of its topics, and claimed by nobody else.
  std::vector<Place> owned{};
  /// It owned something of a topic that others subscribe to, and it does not any more.
  bool gave_up_topic = false;
};

struct RosterTopic {
  std::string_view name{};
  PartitionId partitions = 0;              ///< At least 1.
  std::vector<std::size_t> subscribers{};  ///< Sorted, at least one.
};

/// Has only the topics that exist, have partitions and are subscribed to.
class Roster {
 public:
  /// @param request  outlives the roster.
  explicit Roster(const AssignmentRequest& request);

  const std::vector<RosterMember>& members() const noexcept { return members_; }
  const std::vector<RosterTopic>& topics() const noexcept { return topics_; }
  /// All members name the same topics, existing or not.
  bool subscribes_alike() const noexcept { return subscribes_alike_; }
  /// How many members are said to own it: 0, 1, or 2 for more.
  unsigned claims(const Place& place) const;
  std::size_t partition_count() const noexcept;
  /// All partitions, sorted.
  std::vector<Place> places() const;
  /// One entry a topic with room for all its partitions, each set to `value`.
  template <class T>
  std::vector<std::vector<T>> for_each_partition(const T& value) const {
    std::vector<std::vector<T>> table;
    table.reserve(topics_.size());
    for (const auto& topic : topics_) table.emplace_back(static_cast<std::size_t>(topic.partitions), value);
    return table;
  }
  /// Static members by their instance ids, then the others by their member ids.
  std::vector<std::size_t> static_members_first() const;
  /// By member ids, sorted.
  Assignment named(const Shares& shares) const;

 private:
  void find_topics(const AssignmentRequest& request);
  void find_claims();
  void find_owned();

  std::vector<RosterMember> members_;
  std::vector<RosterTopic> topics_;
  std::vector<std::vector<unsigned char>> claims_;  ///< By topic and partition.
  bool subscribes_alike_ = true;
};

}  // namespace seriatim::group::assign
