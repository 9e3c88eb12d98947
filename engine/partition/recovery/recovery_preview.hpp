// The changes that opening a partition for writing will make to it, found out without making them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "partition/partition.hpp"
#include "partition/partition_environment.hpp"

namespace seriatim::partition {

/// Records that the open takes out of the log, all of one place.
struct TakenRecords {
  std::string path{};  ///< Of the log.
  std::uint64_t position = 0;
  Offset first_offset = -1;  ///< -1: not one batch there is sound.
  Offset last_offset = -1;
  std::uint64_t records = 0;  ///< In sound batches.
  std::string what{};         ///< Why, and what becomes of the bytes.
};

struct RecoveryPreview {
  std::vector<TakenRecords> taken{};
  std::optional<std::string> damage{};  ///< As `Partition::damage` will say it.
  bool is_clean = false;                ///< It is as the last close left it: nothing was looked at.
  bool has_gaps = false;                ///< Offsets are missing as compaction leaves them.
};

/// Does what opening does, up to the point where the last segment is made ready for appending.
/// @param environment  with an `os::OverlayVfs`, which then shows the files as the open will leave them.
/// Errors: as `Partition::open`.
Result<RecoveryPreview> preview_recovery(const PartitionEnvironment& environment,
                                         const PartitionRequest& request);

/// The sound batches of a log from `position` on.
Result<TakenRecords> count_records(const segment::SegmentContext& files, const std::string& path,
                                   std::uint64_t position);

}  // namespace seriatim::partition
