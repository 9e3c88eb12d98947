// Rows of share groups: kinds of facts that checkpoints store. group/share makes their payloads.
#pragma once

#include <string_view>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "catalog/records/catalog_records.hpp"
#include "catalog/records/table_writes.hpp"

namespace seriatim::catalog {

/// Adds the progress of a group in a partition, or leaves it out if the name of the group or the size is
/// refused.
/// @param topic_id  of the topic, which is there until the checkpoint is stored.
void put_share_progress(TableWrites& to, std::string_view group, const Id& topic_id, PartitionId partition,
                        base::ByteSpan payload);
/// Erases it. One that is not there is no error.
void forget_share_progress(TableWrites& to, std::string_view group, const Id& topic_id,
                           PartitionId partition);
/// Adds the configuration of a group, as put_share_progress.
void put_share_config(TableWrites& to, std::string_view group, base::ByteSpan payload);
/// Erases it. One that is not there is no error.
void forget_share_config(TableWrites& to, std::string_view group);
/// Erases the configuration and all progress that was stored of the group; what is added behind it stays.
void forget_share_group(TableWrites& to, std::string_view group);

}  // namespace seriatim::catalog
