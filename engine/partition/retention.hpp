// Which segments may go (kafka-log 2.10). Decides; deletes nothing itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "partition/segment_list.hpp"

namespace seriatim::partition {

/// How far the slowest of some groups has read.
struct GroupsRead {
  /// As the settings named them when it was looked at. Where these are others by now, nothing is known.
  std::vector<std::string> groups{};
  Offset below = 0;  ///< Each of them is done with the records below.
};

/// How far the groups of the topic's settings have read the partition; unless told so, nothing of it. To be
/// told only once no fault takes it back that leaves their deletion.
struct ReadProgress {
  GroupsRead consumed{};  ///< Of `retention_consumed_groups`.
  GroupsRead unread{};    ///< Of `retention_unread_groups`.
};

struct RetentionInput {
  TopicConfig config{};
  std::int64_t now_ms = 0;
  Offset log_start = 0;
  Offset last_stable_offset = 0;
  ReadProgress read{};
};

/// How many segments from the front may be deleted: a prefix, ended by the first segment that must stay. It
/// may be all of them: the caller rolls first then, so that one (empty) segment remains.
///
/// Three passes, as Kafka's: wholly below the log start (under every policy); then, if the policy contains
/// delete, size, then time. Before these two go the sealed segments that all groups of
/// `retention_consumed_groups` have read; and none of the three takes what a group of
/// `retention_unread_groups` has not read. Time is the largest record timestamp, or the file's own age where
/// records carry none or one from the future: a single record from the far future must not keep its segment,
/// and every one after it, for ever.
std::size_t count_deletable(const SegmentList& segments, const RetentionInput& input);

}  // namespace seriatim::partition
