// Committed positions of groups: a kind of fact that checkpoints store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "catalog/records/catalog_records.hpp"
#include "catalog/records/table_writes.hpp"

namespace seriatim::catalog {

/// One committed position of a group.
struct CommittedOffset {
  Offset offset = 0;
  std::string metadata{};  ///< at most 4'096 bytes
  std::int64_t commit_time_ms = 0;
  bool operator==(const CommittedOffset&) const = default;
};

std::string encode(const CommittedOffset& record);
/// Errors: corrupt_metadata if the payload is not exactly one record.
Result<CommittedOffset> decode_committed_offset(base::ByteSpan payload);

/// Whether this position could be stored, whatever topics there are.
/// Errors: invalid_argument (negative offset); offset_metadata_too_large.
Result<void> check_offset_commit(const TopicPartition& at, const CommittedOffset& committed);

/// Adds a position, or leaves it out if the name of the group or check_offset_commit refuses it.
/// @param topic_id  of the topic, which is there until the checkpoint is stored.
void put_committed_offset(TableWrites& to, std::string_view group, const TopicPartition& at,
                          const Id& topic_id, const CommittedOffset& committed);
/// Erases a position. One that is not there is no error.
void forget_committed_offset(TableWrites& to, std::string_view group, const TopicPartition& at,
                             const Id& topic_id);
/// Erases what was stored of a group; positions that are added behind it stay.
void forget_group(TableWrites& to, std::string_view group);

}  // namespace seriatim::catalog
