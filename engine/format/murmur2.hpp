// The hash by which Kafka's Java client, and therefore seriatim, gives a key its partition.
#pragma once

#include <cstdint>

#include <seriatim/types.hpp>

#include "base/bytes.hpp"

namespace seriatim::format {

/// Murmur2, 32 bits, with Kafka's seed. Any thread.
std::uint32_t murmur2(base::ByteSpan bytes) noexcept;

/// The partition of a key, 0 .. `partition_count` - 1; `partition_count` is positive. An empty key is a key.
PartitionId partition_for_key(base::ByteSpan key, std::int32_t partition_count) noexcept;

}  // namespace seriatim::format
