/// @file
/// `Assignor`, `AssignFunction`: which member of a consumer group gets which partitions.
#pragma once

#include <seriatim/language.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The assignors by Kafka's names. Each gives every partition of a topic that somebody subscribes to one
/// owner, among the subscribers; the same group gets the same answer, whatever happened before
/// (docs/assignors.md compares them). Where sizes are said to differ by at most one, all members subscribe to
/// the same topics; elsewhere they are as near as single moves make them.
///
/// Cost: 10 to 60 ms of a group of 1'000 members and 10'000 partitions. `sticky` and `cooperative_sticky` can
/// take longer where subscriptions differ: each move costs up to a look at all members and partitions.
/// Source: Kafka 4.4 (uniform, range), its consumer 3.9 (the others).
enum class Assignor : std::uint8_t {
  uniform,     ///< Sizes differ by at most one; what a member has stays with it. Kafka's "uniform".
  range,       ///< Each topic in contiguous ranges; the first members get the larger ones. Partitions of the
               ///< same number in topics of the same size have the same owner. Kafka's "range".
  roundrobin,  ///< All partitions in turn, without regard to what a member has. Kafka's "roundrobin".
  sticky,      ///< As uniform, in the order of Kafka's "sticky".
  cooperative_sticky,  ///< As sticky, in two rounds or more: a round leaves out the partitions that another
                       ///< member has still to give up, a later one assigns them. Kafka's
                       ///< "cooperative-sticky".
};

/// A member of a consumer group, as an assignor is shown it.
struct GroupMember {
  std::string member_id{};  ///< Its own in the group.
  /// Of a static member. `range` and `roundrobin` serve static members first, in the order of these.
  std::optional<std::string> group_instance_id{};
  std::vector<std::string> topics{};  ///< Subscribed, sorted; topics that do not exist may be among them.
  /// The partitions of its last assignment that it still has. One that two members own, or that does not
  /// exist any more, is owned by nobody.
  std::vector<TopicPartition> owned{};
};

/// The question to an assignor. A value: owns all that it names.
struct AssignmentRequest {
  std::vector<GroupMember> members{};                ///< Sorted by member id.
  std::map<std::string, std::int32_t> partitions{};  ///< Existing topics, and how many partitions each has.
};

/// The answer: partitions by member id. The engine's assignors name every member and sort the partitions; an
/// application's may leave out members without partitions, and answer in any order.
using Assignment = std::map<std::string, std::vector<TopicPartition>>;

/// An assignor of the application's own. An answer is taken if it assigns every partition of every subscribed
/// topic, once, and to a member that subscribes to the topic.
///
/// Errors: invalid_argument, which names the partition and the member: the answer was refused. The assignment
/// before stays.
/// Threads: called by one thread at a time, within a call of a consumer of the group. It must not call one.
using AssignFunction = std::function<Assignment(const AssignmentRequest&)>;

}  // namespace v0
}  // namespace seriatim
