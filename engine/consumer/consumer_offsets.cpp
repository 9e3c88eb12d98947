// Lag, and commits of positions.
#include <algorithm>
#include <utility>

#include "consumer/consumer_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

Result<std::int64_t> ConsumerImpl::lag(const TopicPartition& topic_partition) {
  auto at = position(topic_partition);
  if (!at) return at;
  auto found = find(topic_partition);
  if (!found) return found.error();
  // A position may be set behind an open transaction.
  return std::max<std::int64_t>(queries.end_of((*found)->reader.log()) - *at, 0);
}

Result<> ConsumerImpl::commit_positions() {
  TopicPartitionOffsets positions;
  for (const auto& entry : assigned) {
    // A position that was never resolved says nothing that is not stored already.
    if (entry->pending == Pending::none) positions[entry->name()] = {.offset = entry->reader.position()};
  }
  return commit(positions);
}

Result<> ConsumerImpl::commit(const TopicPartitionOffsets& positions) {
  return offsets.commit(subscription.metadata(options.group_id), positions);
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
