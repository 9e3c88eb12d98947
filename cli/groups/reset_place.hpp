// Where a target lies in the log of a partition.
#pragma once

#include <string>

#include <seriatim/admin.hpp>
#include <seriatim/result.hpp>

#include "groups/group_reset_target.hpp"

namespace seriatim::cli {

/// The offset that a target means there; the log's end for those that mean none by themselves.
/// Errors: those of reading the partition.
Result<Offset> target_offset(const Admin& admin, const TopicPartition& at, const ResetTarget& target);

struct OffsetInLog {
  Offset offset = 0;
  std::string note{};  ///< For people: it is not the one that was wished for. Empty: it is.
};

/// The nearest offset within the log.
/// Errors: those of reading the partition.
Result<OffsetInLog> offset_in_log(const Admin& admin, const TopicPartition& at, Offset wanted);

}  // namespace seriatim::cli
