#include "consumer/log_queries.hpp"

#include <string>

#include "partition/read/time_lookup.hpp"

namespace seriatim::consumer {

std::string name_text(const TopicPartition& topic_partition) {
  return topic_partition.topic + "-" + std::to_string(topic_partition.partition);
}

Result<partition::PartitionLogPtr> LogQueries::current_log(const TopicPartition& at) const {
  auto log = engine_.partition_log(at.topic, at.partition);
  if (!log) return log;
  if (auto looked = (*log)->refresh(); !looked) return looked.error();
  return log;
}

Result<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> LogQueries::offsets_for_times(
    const std::map<TopicPartition, Timestamp>& times) const {
  std::map<TopicPartition, std::optional<OffsetAndTimestamp>> answers;
  for (const auto& [name, time] : times) {
    const std::int64_t time_ms = time.time_since_epoch().count();
    if (time_ms < 0) {
      return Error(Errc::invalid_argument, "cannot look for the time " + std::to_string(time_ms) + " ms in " +
                                               name_text(name) +
                                               "; times are milliseconds since 1970, 0 or more");
    }
    auto log = current_log(name);
    if (!log) return log.error();
    auto found = partition::find_offset_for_time(*log, time_ms, end_of(**log));
    if (!found) return found.error();
    answers.emplace(name, *found);
  }
  return answers;
}

Result<Offset> LogQueries::beginning_offset(const TopicPartition& at) const {
  auto log = current_log(at);
  if (!log) return log.error();
  return (*log)->log_start_offset();
}

Result<Offset> LogQueries::end_offset(const TopicPartition& at) const {
  auto log = current_log(at);
  if (!log) return log.error();
  return end_of(**log);
}

}  // namespace seriatim::consumer
