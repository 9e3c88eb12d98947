/// @file
/// `PartitionRetention`: the groups that let retention go early, or keep it waiting.
#pragma once

#include <seriatim/language.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The group that has read least of those that a retention setting of a topic names, in one partition.
struct SlowestGroup {
  std::string group_id{};
  Offset read_to = 0;  ///< It has read all below; 0 also where it has committed nothing.
};

/// The effect of `retention.consumed.groups` and `retention.unread.groups` (TopicConfig) in one partition.
struct PartitionRetention {
  PartitionId partition = 0;
  /// Segments below its `read_to` go early. Nothing: `retention.consumed.groups` names none.
  std::optional<SlowestGroup> consumed{};
  /// Retention keeps segments with a record at or above its `read_to`. Nothing: `retention.unread.groups`
  /// names none.
  std::optional<SlowestGroup> unread{};
  /// Log bytes that a retention pass would delete now, but for `unread`: for that group if no other one has
  /// read as little.
  std::uint64_t held_back_bytes = 0;
  /// Why the partition cannot be opened; the bytes are not known then.
  std::optional<std::string> damage{};
};

}  // namespace v0
}  // namespace seriatim
