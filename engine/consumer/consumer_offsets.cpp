// Offsets by time, ends, lag, and what a group has committed.
#include <algorithm>
#include <utility>

#include "consumer/consumer_impl.hpp"
#include "partition/read/time_lookup.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

Result<partition::PartitionLogPtr> ConsumerImpl::current_log(const TopicPartition& topic_partition) const {
  auto log = engine->partition_log(topic_partition.topic, topic_partition.partition);
  if (!log) return log;
  if (auto looked = (*log)->refresh(); !looked) return looked.error();
  return log;
}

Result<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> ConsumerImpl::offsets_for_times(
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

Result<Offset> ConsumerImpl::beginning_offset(const TopicPartition& topic_partition) const {
  auto log = current_log(topic_partition);
  if (!log) return log.error();
  return (*log)->log_start_offset();
}

Result<Offset> ConsumerImpl::end_offset(const TopicPartition& topic_partition) const {
  auto log = current_log(topic_partition);
  if (!log) return log.error();
  return end_of(**log);
}

Result<std::int64_t> ConsumerImpl::lag(const TopicPartition& topic_partition) {
  auto at = position(topic_partition);
  if (!at) return at;
  auto found = find(topic_partition);
  if (!found) return found.error();
  // A position may be set behind an open transaction.
  return std::max<std::int64_t>(end_of((*found)->reader.log()) - *at, 0);
}

Result<> ConsumerImpl::check_group() const {
  if (!options.group_id.empty()) return {};
  return Error(
      Errc::invalid_state,
      "this consumer has no group_id, under which positions are stored; set ConsumerOptions::group_id");
}

Result<> ConsumerImpl::commit_positions() {
  TopicPartitionOffsets offsets;
  for (const auto& entry : assigned) {
    // A position that was never resolved says nothing that is not stored already.
    if (entry->pending == Pending::none) offsets[entry->name()] = {.offset = entry->reader.position()};
  }
  return commit(offsets);
}

Result<> ConsumerImpl::commit(const TopicPartitionOffsets& offsets) {
  if (auto writable = engine->check_writable(); !writable) return writable;
  if (auto grouped = check_group(); !grouped) return grouped;
  if (offsets.empty()) return {};
  if (auto stored = engine->committed_offsets.commit(options.group_id, offsets, options.commit_acks); !stored)
    return stored;
  engine->counters.offset_commits.add();
  return {};
}

Result<std::optional<OffsetAndMetadata>> ConsumerImpl::committed(
    const TopicPartition& topic_partition) const {
  if (auto grouped = check_group(); !grouped) return grouped.error();
  auto stored = engine->committed_offsets.find(options.group_id, topic_partition);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<OffsetAndMetadata>();
  return std::optional<OffsetAndMetadata>(
      OffsetAndMetadata{(*stored)->offset, std::move((*stored)->metadata)});
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
