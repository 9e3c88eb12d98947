// Between what a partition remembers and what the catalog stores of it.
#pragma once

#include "catalog/records/catalog_records.hpp"
#include "partition/partition.hpp"

namespace seriatim::directory {

inline catalog::PartitionState to_state(const partition::PartitionCheckpoint& checkpoint) {
  return {.log_start_offset = checkpoint.log_start_offset,
          .recovery_point_offset = checkpoint.recovery_point_offset,
          .recovery_segment_base = checkpoint.recovery_segment_base,
          .recovery_position = static_cast<std::int64_t>(checkpoint.recovery_position),
          .clean_end_offset = checkpoint.clean_end_offset,
          .compacted_to_offset = checkpoint.compacted_to_offset};
}

/// @param was_clean  the last writer closed: what it said of the end holds.
inline partition::PartitionCheckpoint to_checkpoint(const catalog::PartitionState& state, bool was_clean) {
  return {.log_start_offset = state.log_start_offset,
          .recovery_point_offset = state.recovery_point_offset,
          .recovery_segment_base = state.recovery_segment_base,
          .recovery_position = static_cast<std::uint64_t>(state.recovery_position),
          .clean_end_offset = was_clean ? state.clean_end_offset : -1,
          .compacted_to_offset = state.compacted_to_offset};
}

}  // namespace seriatim::directory
