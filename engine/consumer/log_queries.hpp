// Questions about partitions that need no assignment: where they begin and end, and what was there at a time.
#pragma once

#include <map>
#include <optional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "directory/engine_impl.hpp"
#include "partition/partition_log.hpp"
#include "partition/visible_end.hpp"

namespace seriatim::consumer {

/// Threads: any.
class LogQueries {
 public:
  LogQueries(detail::EngineImpl& engine, IsolationLevel isolation_level)
      : engine_(engine), isolation_level_(isolation_level) {}

  /// As Consumer::offsets_for_times.
  Result<std::map<TopicPartition, std::optional<OffsetAndTimestamp>>> offsets_for_times(
      const std::map<TopicPartition, Timestamp>& times) const;
  /// Errors: unknown_topic_or_partition.
  Result<Offset> beginning_offset(const TopicPartition& at) const;
  /// Errors: unknown_topic_or_partition.
  Result<Offset> end_offset(const TopicPartition& at) const;
  /// The end of the part of a partition that a reader of this isolation level sees.
  Offset end_of(const partition::PartitionLog& log) const noexcept {
    return partition::visible_end(log, isolation_level_);
  }

 private:
  /// A partition of the engine as of this moment.
  Result<partition::PartitionLogPtr> current_log(const TopicPartition& at) const;

  detail::EngineImpl& engine_;
  const IsolationLevel isolation_level_;
};

/// "orders-0", for messages.
std::string name_text(const TopicPartition& topic_partition);

}  // namespace seriatim::consumer
