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

TopicPartitionOffsets ConsumerImpl::positions(Committing why) const {
  TopicPartitionOffsets positions;
  for (const auto& entry : assigned) {
    const partition::PartitionLog& log = entry->reader.log();
    // A position that was never resolved says nothing that is not stored already; of a deleted topic there is
    // nothing to store; and one that a seek has set beyond the log is the next poll's to answer.
    if (entry->pending != Pending::none || log.is_deleted()) continue;
    if (why == Committing::by_itself && entry->reader.position() > log.log_end_offset()) continue;
    positions[entry->name()] = {.offset = entry->reader.position()};
  }
  return positions;
}

Result<> ConsumerImpl::commit(const TopicPartitionOffsets& positions) {
  return offsets.commit(subscription.committer(), positions);
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
