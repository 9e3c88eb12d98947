// The positions that a consumer commits under the name of its group.
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/consumer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "directory/engine_impl.hpp"

namespace seriatim::consumer {

/// Threads: any, but where it says otherwise.
class GroupOffsets {
 public:
  GroupOffsets(detail::EngineImpl& engine, const ConsumerOptions& options)
      : engine_(engine), options_(options) {}

  /// Errors: invalid_state: the consumer has no group_id.
  Result<> check_group() const;
  /// @param by  the member that commits.
  /// Errors: as Consumer::commit_sync.
  Result<> commit(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets) const;
  /// Errors: as Consumer::committed.
  Result<std::optional<OffsetAndMetadata>> committed(const TopicPartition& at) const;
  /// Whether the interval after which the consumer commits by itself is over; begins the next one.
  /// Threads: one at a time.
  bool is_commit_due();

 private:
  detail::EngineImpl& engine_;
  const ConsumerOptions& options_;
  std::int64_t next_commit_ns_ = 0;  // monotonic
};

}  // namespace seriatim::consumer
