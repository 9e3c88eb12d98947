#include "commands/partition_watch.hpp"

namespace seriatim::cli {

Result<std::vector<TopicPartition>> PartitionWatch::added() {
  std::vector<TopicPartition> found;
  const auto now = std::chrono::steady_clock::now();
  if (known_.empty() || now - asked_ < interval_) return found;
  asked_ = now;
  for (auto& [topic, count] : known_) {
    while (true) {
      const TopicPartition next{topic, count};
      const Result<Offset> start = engine_.admin().list_offset(next, OffsetSpec::earliest);
      if (!start.ok() && start.error().code() == Errc::unknown_topic_or_partition) break;
      if (!start.ok()) return start.error();
      found.push_back(next);
      ++count;
    }
  }
  return found;
}

Result<> assign_more(Consumer& consumer, const std::vector<TopicPartition>& added) {
  if (added.empty()) return {};
  std::vector<TopicPartition> all = consumer.assignment();
  all.insert(all.end(), added.begin(), added.end());
  return consumer.assign(all);
}

}  // namespace seriatim::cli
