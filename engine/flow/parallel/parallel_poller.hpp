// The one thread that polls, hands out, and commits: the member of the group.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <seriatim/flow/parallel_consumer.hpp>

#include "flow/parallel/parallel_partition.hpp"
#include "flow/parallel/parallel_pool.hpp"
#include "flow/parallel/parallel_worker.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: one at a time. It outlives the workers: records are its partitions'.
class ParallelPoller {
 public:
  /// Joins the group.
  /// Errors: as Engine::consumer and Consumer::subscribe.
  static Result<std::unique_ptr<ParallelPoller>> open(const Engine& engine, const ParallelParts& parts);
  ParallelPoller(const Engine& engine, const ParallelParts& parts, Consumer consumer)
      : engine_(engine), parts_(parts), consumer_(std::move(consumer)) {}
  ParallelPoller(const ParallelPoller&) = delete;
  ParallelPoller& operator=(const ParallelPoller&) = delete;

  /// Until the pool leaves its first phase, and what is in flight has ended; then leaves the group.
  /// Failures go to `ParallelParts::fail`.
  void run() noexcept;
  /// Of a `run` that has ended: whether it waited in vain for a handler.
  bool has_left_handlers() const noexcept { return has_left_handlers_; }

 private:
  using Time = KeyLanes::Time;
  using Partitions = std::vector<TopicPartition>;
  using Owned = std::map<TopicPartition, std::unique_ptr<ParallelPartition>>;

  Result<> subscribe();
  /// One poll, and all that belongs to it.
  Result<> step();
  /// Errors: timed_out.
  Result<> drain();
  Error still_running();
  std::chrono::milliseconds poll_timeout() const;
  void hand_out(ConsumerRecords records);
  void hand_out(ParallelPartition& partition, const std::shared_ptr<QueuedBatch>& batch, std::size_t first,
                std::size_t count);
  void set_order(const ParallelPartition& partition, QueuedRecord& record) const;
  Result<> set_pauses();
  void let_go();
  /// A failure that is none of a record. An error ends the consumer.
  Result<std::chrono::nanoseconds> note_failure(const Error& failure, std::uint32_t attempts);
  Result<> recover(const Error& failure);

  Result<> commit_when_due();
  Result<> commit(const Owned& partitions);
  std::optional<OffsetAndMetadata> position_of(ParallelPartition& partition);

  void on_assigned(const Partitions& partitions);
  void on_revoked(const Partitions& partitions);
  void on_lost(const Partitions& partitions);
  ParallelPartition& own(const TopicPartition& at, FinishedRanges before);
  /// The records that the member before has finished, if the log is still that.
  Result<FinishedRanges> finished_before(const TopicPartition& at);
  Owned give_up(const Partitions& partitions);
  void drop_all(Owned&& partitions);

  const Engine engine_;
  const ParallelParts& parts_;
  Consumer consumer_;
  Owned owned_{};
  std::vector<std::unique_ptr<ParallelPartition>> gone_{};  ///< Not ours, with records in somebody's hands.
  std::optional<Error> failed_inside_{};                    ///< Of a listener's work, for after its poll.
  std::uint64_t salt_ = 0;
  std::uint32_t poll_failures_ = 0;    ///< In a row.
  std::uint32_t commit_failures_ = 0;  ///< The same.
  bool is_paused_ = false;             ///< All that is owned is to be.
  bool is_closing_ = false;
  bool has_left_handlers_ = false;
  bool has_unseen_ = false;    ///< Records were polled that are in no window.
  std::size_t in_flight_ = 0;  ///< At the last look.
  std::uint64_t handled_ = 0;  ///< The same, of all times.
  Time last_commit_ = std::chrono::steady_clock::now();
  Time commit_not_before_{};
  Time last_ranges_look_{};
  std::uint64_t committed_count_ = 0;  ///< Of the records handled at the last commit.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
