/// @file
/// `partition_for_key`: where a producer puts a key.
#pragma once

#include <seriatim/language.hpp>

#include <seriatim/export.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The partition that a producer under `Partitioning::by_key` chooses for a key: Kafka's murmur2. For who
/// gathers records by partition himself, to append them as batches.
/// @param key  a null one counts as an empty one.
/// @param partition_count  1 or more; less counts as 1.
/// @return 0 .. partition_count - 1.
/// Threads: any.
SERIATIM_API PartitionId partition_for_key(BytesView key, PartitionId partition_count) noexcept;

}  // namespace v0
}  // namespace seriatim
