// The common part of the files of the `topic` commands.
#pragma once

#include <cstdint>
#include <string>

#include <seriatim/admin.hpp>

#include "command.hpp"

namespace seriatim::cli {

/// Sums over a topic's partitions. `records` counts offsets: what compaction removed is included.
struct TopicTotals {
  Offset records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t segments = 0;
  bool is_partial = false;  ///< A partition is damaged: the sums are of what can be read.
};

TopicTotals totals_of(const TopicDescription& topic);
std::string policy_text(CleanupPolicy policy);

Command topic_delete_command();
Command topic_trim_command();
Command topic_compact_command();

}  // namespace seriatim::cli
