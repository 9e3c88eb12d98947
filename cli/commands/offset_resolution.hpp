// From an offset expression to an offset of one partition.
#pragma once

#include <string>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "text/offset_expression.hpp"

namespace seriatim::cli {

/// The offset that `point` means in `topic_partition` at this moment. Counts beyond the log are cut to its
/// start or end; a time after the last record is the end.
/// @param group  whose committed offset `stored` means; without one, or if it has none there, `stored` is the
/// beginning.
/// Errors: unknown_topic_or_partition; corrupt_record; as Admin.
Result<Offset> resolve(const Engine& engine, const TopicPartition& topic_partition, const OffsetPoint& point,
                       const std::string& group);

/// Answers an offset outside the log before anything is read from it.
/// Errors: offset_out_of_range, with the valid range.
Result<> check_in_log(const Engine& engine, const TopicPartition& topic_partition, Offset offset);

}  // namespace seriatim::cli
