// Offsets by time (kafka-log 6.7).
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "partition/partition_log.hpp"

namespace seriatim::partition {

/// The earliest offset, from the log start on, whose timestamp is at or after `time_ms`; nullopt if there is
/// none below `bound`. Not the earliest time: where timestamps are out of order, a later record may have a
/// smaller one.
/// Errors: corrupt_record in what had to be read; those of mapping a segment.
Result<std::optional<OffsetAndTimestamp>> find_offset_for_time(const PartitionLogPtr& log,
                                                               std::int64_t time_ms, Offset bound);

/// The first record that has the largest timestamp; nullopt if no record has one.
/// Errors: as find_offset_for_time.
/// Cost: as find_offset_for_time, except where deleted or compacted records had the largest timestamp of
/// their segment: then the log is read.
Result<std::optional<OffsetAndTimestamp>> find_max_timestamp(const PartitionLogPtr& log);

}  // namespace seriatim::partition
