// The end of what a reader of an isolation level is shown.
#pragma once

#include <seriatim/types.hpp>

#include "partition/partition_log.hpp"

namespace seriatim::partition {

inline Offset visible_end(const PartitionLog& log, IsolationLevel level) noexcept {
  return level == IsolationLevel::read_committed ? log.last_stable_offset() : log.high_watermark();
}

}  // namespace seriatim::partition
