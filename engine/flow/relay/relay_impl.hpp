// Behind `Relay`: batch by batch from the source into the target.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/flow/relay.hpp>
#include <seriatim/task.hpp>

#include "flow/relay/relay_batch.hpp"
#include "flow/relay/relay_rate.hpp"
#include "flow/relay/relay_source.hpp"
#include "flow/relay/relay_writer.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Threads: any.
class RelayImpl {
 public:
  /// @param options  in their ranges, with a name.
  static Result<std::unique_ptr<RelayImpl>> open(const Engine& engine, RelayOptions options);
  RelayImpl(const RelayImpl&) = delete;
  RelayImpl& operator=(const RelayImpl&) = delete;

  // As Relay.
  Result<> run();
  Result<std::size_t> run_once(std::chrono::milliseconds timeout);
  Result<> start_in_background();
  std::optional<Result<>> outcome() const;
  void stop() noexcept;
  RelayProgress progress() const;
  const std::string& group_id() const noexcept { return group_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// A batch that is not committed yet.
  struct InHand {
    TopicPartitionOffsets behind{};
    RelayCounts counts{};
  };

  RelayImpl(const Engine& engine, RelayOptions options);
  Result<> open_parts();

  Result<> run_until_done();
  /// A run of the task.
  Result<std::chrono::nanoseconds> run_in_background();
  void end_background(const Result<>& outcome);
  /// Whether everything is relayed that was asked for.
  bool is_done() const;
  /// One batch.
  Result<std::size_t> step(std::chrono::milliseconds timeout);
  /// Of a step that failed: asks again whether its batch was committed, or goes back before it.
  Result<> settle_earlier();
  /// Takes records from the source, for one transaction.
  Result<> gather(std::chrono::milliseconds timeout);
  /// Everything of the transaction of the batch in hand.
  Result<> write();
  /// Appends the records of a poll, or keeps them for the next append.
  Result<> write(const ConsumerRecords& records, RelayCounts& counts);
  /// The batch in hand is committed.
  /// Behind a commit.
  void finish();
  /// Looks at both topics, if that is due.
  Result<> look_at_topics();
  Result<> look_at_target();
  Result<> note_goal();
  /// @param is_wanted  however short ago the last was.
  Result<> note_lag(bool is_wanted);

  const Engine engine_;
  const RelayOptions options_;
  const std::string group_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> is_running_{
      false};  ///< A thread is inside; all up to `progress_mutex_` is that thread's.

  std::optional<RelayWriter> writer_{};
  std::optional<RelaySource> source_{};
  RelayTarget target_{};
  RelayBatch batch_;
  std::vector<ConsumerRecords> polled_{};
  std::optional<InHand> in_hand_{};
  bool is_ahead_ = false;                         ///< The source gave records that are not committed.
  std::optional<Clock::time_point> looked_at_{};  ///< When the topics were. Nothing: look at once.
  RelayRate rate_{};

  mutable std::mutex progress_mutex_;
  RelayProgress progress_{};
  std::optional<Result<>> outcome_{};  ///< Of the background. Under the mutex.

  std::mutex start_mutex_;
  std::optional<Task> task_{};  ///< Under that mutex. The last member: its end waits for a run.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
