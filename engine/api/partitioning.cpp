#include <seriatim/partitioning.hpp>

#include "format/murmur2.hpp"

namespace seriatim {
inline namespace v0 {

PartitionId partition_for_key(BytesView key, PartitionId partition_count) noexcept {
  return partition_count > 1 ? format::partition_for_key(key.bytes(), partition_count) : 0;
}

}  // namespace v0
}  // namespace seriatim
