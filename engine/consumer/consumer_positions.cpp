// Where a consumer goes on: committed offsets, resets, seeks (kafka-log 6.6).
#include <utility>

#include "consumer/consumer_impl.hpp"
#include "partition/read/fetch_cursor.hpp"
#include "partition/read/time_lookup.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

Result<> ConsumerImpl::resolve(Assigned& entry) {
  const partition::PartitionLog& log = entry.reader.log();
  switch (entry.pending) {
    case Pending::none:
      return {};
    case Pending::beginning:
      entry.reader.seek(log.log_start_offset());
      break;
    case Pending::end:
      entry.reader.seek(queries.end_of(log));
      break;
    case Pending::start: {
      std::optional<catalog::CommittedOffset> stored;
      if (!options.group_id.empty()) {
        auto committed_offset = engine->committed_offsets.find(options.group_id, entry.name());
        if (!committed_offset) return committed_offset.error();
        stored = *std::move(committed_offset);
      }
      if (!stored) {
        return apply_reset(
            entry,
            Error(Errc::no_offset_for_partition,
                  (options.group_id.empty() ? std::string("there is no group_id, so no committed offset")
                                            : "group " + options.group_id + " has no committed offset") +
                      ", for " + entry.name().topic + "-" + std::to_string(entry.name().partition) + "; " +
                      partition::describe_offsets(log) +
                      ". auto_offset_reset is none: seek, or choose another policy"));
      }
      entry.reader.seek(stored->offset);
      break;
    }
  }
  entry.pending = Pending::none;
  return {};
}

// The position is missing or lost: what the policy says. `reason` is the answer where the policy is to ask.
Result<> ConsumerImpl::apply_reset(Assigned& entry, const Error& reason) {
  const partition::PartitionLog& log = entry.reader.log();
  Offset target = 0;
  switch (options.auto_offset_reset) {
    case AutoOffsetReset::none:
      return reason;
    case AutoOffsetReset::earliest:
      target = log.log_start_offset();
      break;
    case AutoOffsetReset::latest:
      target = queries.end_of(log);
      break;
    case AutoOffsetReset::by_duration: {
      const std::int64_t since_ms = engine->clock.wall_ms() - options.auto_offset_reset_duration.count();
      auto found = partition::find_offset_for_time(entry.reader.log_ptr(), since_ms, queries.end_of(log));
      if (!found) return found.error();
      target = *found ? (*found)->offset : queries.end_of(log);
      break;
    }
  }
  entry.reader.seek(target);
  entry.pending = Pending::none;
  return {};
}

Result<Offset> ConsumerImpl::position(const TopicPartition& topic_partition) {
  auto found = find(topic_partition);
  if (!found) return found.error();
  Assigned& entry = **found;
  if (auto looked = entry.reader.log().refresh(); !looked) return looked.error();
  if (auto resolved = resolve(entry); !resolved) return resolved.error();
  return entry.reader.position();
}

Result<> ConsumerImpl::seek(const TopicPartition& topic_partition, Offset offset) {
  if (offset < 0) {
    return Error(Errc::invalid_argument, "cannot seek " + topic_partition.topic + "-" +
                                             std::to_string(topic_partition.partition) + " to " +
                                             std::to_string(offset) +
                                             "; offsets begin at 0, and seek_to_end goes to the end");
  }
  auto found = find(topic_partition);
  // Of a member, it may be another's by the time it comes.
  if (!found && subscription) return found.error();
  if (!found) {
    early_seeks[topic_partition] = offset;
    return {};
  }
  (*found)->reader.seek(offset);
  (*found)->pending = Pending::none;
  announce_rest();
  return {};
}

Result<> ConsumerImpl::seek_to(std::span<const TopicPartition> partitions, Pending where) {
  std::vector<Assigned*> named;
  for (const auto& name : partitions) {
    auto found = find(name);
    if (!found) return found.error();
    named.push_back(*found);
  }
  if (partitions.empty()) {
    for (const auto& entry : assigned) named.push_back(entry.get());
  }
  for (Assigned* entry : named) entry->pending = where;
  if (slot->has_event()) slot->wake();
  return {};
}

Result<> ConsumerImpl::seek_to_time(Timestamp time) {
  std::map<TopicPartition, Timestamp> times;
  for (const auto& entry : assigned) times.emplace(entry->name(), time);
  auto found = queries.offsets_for_times(times);
  if (!found) return found.error();
  for (const auto& entry : assigned) {
    const auto& answer = found->at(entry->name());
    entry->reader.seek(answer ? answer->offset : queries.end_of(entry->reader.log()));
    entry->pending = Pending::none;
  }
  announce_rest();
  return {};
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
