#include "flow/relay/relay_source.hpp"

#include <algorithm>
#include <optional>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A batch is several polls, each of so much that it stays in the caches until it is appended.
constexpr std::size_t poll_records_min = 2'000;
constexpr std::size_t poll_bytes_min = 256 * 1024;
// A poll looks at all partitions: of many it takes more, so that a record does not pay for that.
constexpr std::size_t poll_records_of_partition = 8;
constexpr std::size_t poll_bytes_of_partition = 1024;

std::string name_of(const TopicPartition& at) { return at.topic + "-" + std::to_string(at.partition); }

}  // namespace

Result<RelaySource> RelaySource::open(const Engine& engine, const RelayOptions& options, std::string group) {
  auto topic = engine.admin().describe_topic(options.from);
  if (!topic) return topic.error();
  const std::size_t count = topic->partitions.size();
  const std::size_t records = std::max(poll_records_min, count * poll_records_of_partition);
  const std::size_t bytes = std::max(poll_bytes_min, count * poll_bytes_of_partition);
  auto consumer = engine.consumer({.group_id = std::move(group),
                                   .auto_offset_reset = AutoOffsetReset::none,
                                   .max_poll_records = std::min(options.batch_records, records),
                                   .max_poll_bytes = std::min(options.batch_bytes, bytes),
                                   .visibility = options.visibility});
  if (!consumer) return consumer.error();
  RelaySource source(*std::move(consumer), options, topic->topic_id);
  if (auto assigned = source.assign(static_cast<PartitionId>(topic->partitions.size())); !assigned)
    return assigned.error();
  for (const auto& [at, position] : source.positions_) {
    auto end = source.consumer_.end_offset(at);
    if (!end) return end.error();
    source.goals_.emplace(at, *end);
  }
  return source;
}

Result<> RelaySource::assign(PartitionId count) {
  std::vector<TopicPartition> all;
  std::map<TopicPartition, Offset> added;
  for (PartitionId i = 0; i < count; ++i) {
    const TopicPartition& at = all.emplace_back(TopicPartition{topic_, i});
    if (positions_.contains(at)) continue;
    auto start = start_of(at);
    if (!start) return start.error();
    added.emplace(at, *start);
  }
  if (added.empty()) return {};
  if (auto assigned = consumer_.assign(all); !assigned) return assigned;
  for (const auto& [at, offset] : added) {
    if (auto placed = consumer_.seek(at, offset); !placed) return placed;
  }
  positions_.merge(added);
  return {};
}

Result<Offset> RelaySource::start_of(const TopicPartition& at) const {
  auto committed = consumer_.committed(at);
  if (!committed) return committed.error();
  if (!*committed) return consumer_.beginning_offset(at);
  const std::string& target = (*committed)->metadata;
  if (!target.empty() && target != target_) {
    const std::string group = consumer_.group_metadata().group_id;
    return Error(Errc::invalid_state,
                 "group \"" + group + "\" has relayed " + name_of(at) + " into " + target + ", not into " +
                     target_ +
                     ": its positions are not those of this relay; give it another name, or delete "
                     "the group to relay everything from the log start");
  }
  return (*committed)->offset;
}

Result<> RelaySource::refresh(const Engine& engine) {
  auto topic = engine.admin().describe_topic(topic_);
  if (!topic) return topic.error().with_context("the source of the relay");
  if (topic->topic_id != topic_id_) {
    return Error(Errc::unknown_topic_or_partition,
                 "the source of the relay, topic " + topic_ +
                     ", was deleted and created anew; open another relay for the new one");
  }
  return assign(static_cast<PartitionId>(topic->partitions.size()));
}

Result<> RelaySource::poll(std::chrono::milliseconds timeout, std::vector<ConsumerRecords>& batch) {
  for (;;) {
    auto records = consumer_.poll(timeout);
    if (records) {
      if (!records->empty()) batch.push_back(*std::move(records));
      return {};
    }
    // An error behind records is met again by the next batch, which begins with it.
    if (records.error().code() == Errc::wakeup || !batch.empty()) return {};
    if (records.error().code() != Errc::offset_out_of_range) return records.error();
    if (auto passed = pass_deleted(records.error()); !passed) return passed;
  }
}

Result<> RelaySource::pass_deleted(const Error& failure) {
  bool has_passed = false;
  for (auto& [at, position] : positions_) {
    auto next = consumer_.position(at);
    if (!next) return next.error();
    auto begin = consumer_.beginning_offset(at);
    if (!begin) return begin.error();
    if (*next >= *begin) continue;
    if (!skip_deleted_) {
      return Error(
          Errc::offset_out_of_range,
          "offsets " + std::to_string(*next) + " to " + std::to_string(*begin - 1) + " of " + name_of(at) +
              " were deleted before they were relayed; set RelayOptions::skip_deleted (--skip-deleted) "
              "to go on without them, and let retention.unread.groups name the relay's group so that "
              "it waits");
    }
    if (auto placed = consumer_.seek(at, *begin); !placed) return placed;
    deleted_ += static_cast<std::uint64_t>(*begin - *next);
    position = std::max(position, *begin);
    has_passed = true;
  }
  return has_passed ? Result<>() : Result<>(failure);
}

TopicPartitionOffsets RelaySource::behind(const std::vector<ConsumerRecords>& batch) const {
  TopicPartitionOffsets offsets;
  for (const ConsumerRecords& records : batch) {
    for (auto& [at, next] : records.next_offsets())
      offsets[at] = {.offset = next.offset, .metadata = target_};
  }
  return offsets;
}

void RelaySource::advance(const TopicPartitionOffsets& behind) {
  for (const auto& [at, next] : behind) positions_[at] = next.offset;
}

Result<> RelaySource::rewind() {
  for (const auto& [at, position] : positions_) {
    if (auto placed = consumer_.seek(at, position); !placed) return placed;
  }
  return {};
}

// The consumer's position passes what it is never shown: markers, aborted records.
Result<bool> RelaySource::is_caught_up() {
  while (!goals_.empty()) {
    const auto& [at, goal] = *goals_.begin();
    auto next = consumer_.position(at);
    if (!next) return next.error();
    if (*next < goal) return false;
    goals_.erase(goals_.begin());
  }
  return true;
}

Result<LagSample> RelaySource::lag() {
  LagSample sample;
  for (const auto& [at, position] : positions_) {
    auto left = consumer_.lag(at);
    if (!left) return left.error();
    auto end = consumer_.end_offset(at);
    if (!end) return end.error();
    sample.lag += std::max<std::int64_t>(*left, 0);
    sample.end += *end;
  }
  return sample;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
