// The commits of a consumer that it did not wait for: from the call until the callback has run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include <seriatim/consumer.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "consumer/group/single_thread.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim::consumer {

/// Threads: one at a time.
class AsyncCommits {
 public:
  AsyncCommits(detail::EngineImpl& engine, const ConsumerOptions& options, SingleThread& thread)
      : engine_(engine), options_(options), thread_(thread) {}

  /// Commits what `stage` stages. Of more than commits_max that are under way the oldest is waited for.
  /// @param stage  returns the LSN of the frame, or why there is none.
  /// Errors: of `stage`, and at `leader` of writing the frame: no callback then. queue_full: in a callback,
  /// with commits_max under way. closed: in a callback that `close` runs. Of the callback of the oldest.
  Result<> commit(TopicPartitionOffsets offsets, OffsetCommitCallback callback,
                  const std::function<Result<std::uint64_t>(const TopicPartitionOffsets& offsets)>& stage);

  enum class Which : std::uint8_t {
    finished,  ///< As far as no wait is needed.
    oldest,    ///< The oldest is waited for.
    all,       ///< All are waited for.
  };
  /// Runs the callbacks in the order of the calls. Within a callback it does nothing: the others come behind.
  /// Errors: of the first callback that threw; those of others go to the log sink.
  Result<> settle(Which which);

  static constexpr std::size_t commits_max = 1'000;  ///< Arbitrary; documented at Consumer::commit_async.

 private:
  struct Commit {
    TopicPartitionOffsets offsets{};
    OffsetCommitCallback callback{};
    std::uint64_t lsn = 0;
    /// Nobody waits for the journal any more; whether that failed, a look at the journal tells.
    std::shared_ptr<std::atomic<bool>> is_finished = std::make_shared<std::atomic<bool>>(false);
  };

  Result<> make_room();
  void hand_over(const Commit& commit);
  Result<> tell(const Commit& commit);

  detail::EngineImpl& engine_;
  const ConsumerOptions& options_;
  SingleThread& thread_;
  std::deque<Commit> commits_{};
  bool is_settling_ = false;
};

}  // namespace seriatim::consumer
