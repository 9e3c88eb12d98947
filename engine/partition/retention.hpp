// Which segments may go (kafka-log 2.10). Decides; deletes nothing itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "partition/segment_list.hpp"

namespace seriatim::partition {

struct RetentionInput {
  TopicConfig config{};
  std::int64_t now_ms = 0;
  Offset log_start = 0;
  Offset last_stable_offset = 0;
};

/// How many segments from the front may be deleted: a prefix, ended by the first segment that must stay. It
/// may be all of them: the caller rolls first then, so that one (empty) segment remains.
///
/// Three passes, as Kafka's: wholly below the log start (under every policy); then, if the policy contains
/// delete, size, then time. Time is the largest record timestamp, or the file's own age where records carry
/// none or one from the future: a single record from the far future must not keep its segment, and every one
/// after it, for ever.
std::size_t count_deletable(const SegmentList& segments, const RetentionInput& input);

}  // namespace seriatim::partition
