// The positions that a consumer commits under the name of its group.
#pragma once

#include <cstdint>
#include <optional>

#include <seriatim/consumer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "consumer/group/async_commits.hpp"
#include "consumer/group/single_thread.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim::consumer {

/// Threads: any, but where it says otherwise.
class GroupOffsets {
 public:
  GroupOffsets(detail::EngineImpl& engine, const ConsumerOptions& options, SingleThread& thread)
      : engine_(engine), options_(options), async_(engine, options, thread) {}

  /// Errors: invalid_state: the consumer has no group_id.
  Result<> check_group() const;
  /// @param by  the member that commits.
  /// Errors: as Consumer::commit_sync.
  /// Threads: one at a time.
  Result<> commit(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets);
  /// Errors: as Consumer::commit_async.
  /// Threads: one at a time.
  Result<> commit_async(const ConsumerGroupMetadata& by, TopicPartitionOffsets offsets,
                        OffsetCommitCallback callback);
  /// Runs callbacks of asynchronous commits.
  /// Errors: as AsyncCommits::settle.
  /// Threads: one at a time.
  Result<> settle(AsyncCommits::Which which) { return async_.settle(which); }
  /// Errors: as Consumer::committed.
  Result<std::optional<OffsetAndMetadata>> committed(const TopicPartition& at) const;
  /// Whether the interval after which the consumer commits by itself is over; begins the next one.
  /// Threads: one at a time.
  bool is_commit_due();
  /// A poll returns records: while the application works on them, nothing is committed by itself.
  void note_returned(bool has_records) noexcept { works_on_records_ = has_records; }
  bool may_commit_by_itself() const noexcept { return options_.auto_commit && !works_on_records_; }
  /// Until when a poll may sleep that is to end at `deadline_ns`: what earlier polls returned is committed in
  /// time.
  std::int64_t end_of_wait(std::int64_t deadline_ns) const noexcept {
    const bool commits_in_between = options_.auto_commit && options_.auto_commit_interval.count() > 0;
    return commits_in_between && next_commit_ns_ < deadline_ns ? next_commit_ns_ : deadline_ns;
  }

 private:
  Result<> check_may_commit() const;
  Result<std::uint64_t> stage(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets) const;
  Result<> commit_now(const ConsumerGroupMetadata& by, const TopicPartitionOffsets& offsets) const;

  detail::EngineImpl& engine_;
  const ConsumerOptions& options_;
  AsyncCommits async_;
  std::int64_t next_commit_ns_ = 0;  // monotonic
  bool works_on_records_ = false;
};

}  // namespace seriatim::consumer
