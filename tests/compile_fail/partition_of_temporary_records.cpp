// must fail: use of deleted function|deleted
#include <seriatim/seriatim.hpp>

std::size_t count(seriatim::ConsumerRecords (*poll)(), const seriatim::TopicPartition& partition) {
#ifdef MISUSE
  const auto records = poll().records(partition);
#else
  const auto kept = poll();
  const auto records = kept.records(partition);
#endif
  return records.size();
}
