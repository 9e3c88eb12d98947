#include "consumer/group/async_commits.hpp"

#include <string>
#include <utility>

#include "base/boundary.hpp"
#include "delivery/delivery_thread.hpp"

namespace seriatim::consumer {

Result<> AsyncCommits::make_room() {
  if (is_settling_ && thread_.is_closed()) {
    return Error(Errc::closed,
                 "the consumer is being closed; commit_sync still commits in the callback of a commit");
  }
  if (commits_.size() < commits_max) return {};
  if (!is_settling_) return settle(Which::oldest);
  return Error(Errc::queue_full, std::to_string(commits_max) +
                                     " commits of this consumer have not called back; commit again when the "
                                     "callback has returned, or with commit_sync");
}

Result<> AsyncCommits::commit(
    TopicPartitionOffsets offsets, OffsetCommitCallback callback,
    const std::function<Result<std::uint64_t>(const TopicPartitionOffsets& offsets)>& stage) {
  if (auto room = make_room(); !room) return room;
  // All memory first: what is staged is remembered.
  commits_.push_back({.offsets = std::move(offsets), .callback = std::move(callback)});
  base::Undoing forget([this] { commits_.pop_back(); });
  Commit& commit = commits_.back();
  auto lsn = stage(commit.offsets);
  if (!lsn) return lsn.error();
  commit.lsn = *lsn;
  if (options_.commit_acks == Acks::leader) {
    if (auto written = engine_.acknowledge(commit.lsn, Acks::leader); !written) return written;
    commit.is_finished->store(true, std::memory_order_relaxed);
  } else {
    hand_over(commit);
  }
  forget.keep();
  return {};
}

// Only the journal is waited for there: what else a commit may need, the segments of others or a checkpoint,
// the consumer's own thread sees to when it tells.
void AsyncCommits::hand_over(const Commit& commit) {
  const auto handed_over = base::answered([&]() -> Result<> {
    engine_.delivery->wait_for(
        [journal = engine_.journal.get(), lsn = commit.lsn, done = commit.is_finished] {
          // A failure is met again by the one who tells.
          static_cast<void>(base::answered([&] { return journal->wait_durable(lsn); }).ok());
          done->store(true, std::memory_order_release);
        });
    return {};
  });
  if (!handed_over) commit.is_finished->store(true, std::memory_order_relaxed);
}

Result<> AsyncCommits::settle(Which which) {
  if (is_settling_) return {};
  is_settling_ = true;
  const base::Undoing settled([this] { is_settling_ = false; });
  Result<> outcome;
  // Not those that callbacks add.
  const std::size_t before = which == Which::oldest ? 1 : commits_.size();
  for (std::size_t left = before; left > 0; --left) {
    const bool is_finished = commits_.front().is_finished->load(std::memory_order_acquire);
    if (which == Which::finished && !is_finished) break;
    const Commit commit = std::move(commits_.front());
    commits_.pop_front();
    auto told = tell(commit);
    if (told) continue;
    if (!outcome) engine_.report(LogLevel::error, told.error().message());
    if (outcome) outcome = std::move(told);
  }
  return outcome;
}

Result<> AsyncCommits::tell(const Commit& commit) {
  auto outcome = commit.offsets.empty()
                     ? Result<>()
                     : base::answered([&] { return engine_.acknowledge(commit.lsn, options_.commit_acks); });
  if (!commit.callback) {
    if (!outcome) {
      engine_.report(LogLevel::error, "an asynchronous commit of group " + options_.group_id +
                                          " has no callback: " + outcome.error().message());
    }
    return {};
  }
  const SingleThread::Listening listening(thread_);
  auto told = base::answered([&]() -> Result<> {
    commit.callback(commit.offsets, outcome);
    return {};
  });
  if (told) return told;
  return told.error().with_context("the callback of a commit of group " + options_.group_id +
                                   " has thrown; the commit is as it was told");
}

}  // namespace seriatim::consumer
