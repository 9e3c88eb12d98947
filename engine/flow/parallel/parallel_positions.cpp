// Commits, and partitions that come and go.
#include "flow/parallel/parallel_poller.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "flow/parallel/record_fingerprint.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// The partition is another's, or has gone with its topic: there is nobody to commit for.
bool is_of_no_owner(const Error& failure) {
  return failure.code() == Errc::unknown_member_id || failure.code() == Errc::unknown_topic_or_partition;
}

}  // namespace

Result<> ParallelPoller::commit_when_due() {
  const Time now = std::chrono::steady_clock::now();
  const bool is_due = handled_ != committed_count_ && now >= commit_not_before_ &&
                      (now - last_commit_ >= parts_.options.commit_interval ||
                       handled_ - committed_count_ >= parts_.options.commit_records);
  if (!is_due) return {};
  if (auto committed = commit(owned_); !committed) {
    auto wait = note_failure(committed.error(), ++commit_failures_);
    if (!wait) return wait.error();
    commit_not_before_ = now + *wait;
    return {};
  }
  commit_failures_ = 0;
  last_commit_ = now;
  committed_count_ = handled_;
  return {};
}

Result<> ParallelPoller::commit(const Owned& partitions) {
  TopicPartitionOffsets offsets;
  for (const auto& [at, partition] : partitions) {
    auto position = position_of(*partition);
    if (position && *position != partition->committed) offsets[at] = *std::move(position);
  }
  if (offsets.empty()) return {};
  auto committed = consumer_.commit_sync(offsets);
  if (!committed && is_of_no_owner(committed.error())) {
    // Of some, or of all: one for each.
    for (auto at = offsets.begin(); at != offsets.end();) {
      auto one = consumer_.commit_sync(TopicPartitionOffsets{*at});
      if (!one && !is_of_no_owner(one.error())) return one;
      at = one ? std::next(at) : offsets.erase(at);
    }
    committed = {};
  }
  if (!committed) return committed;
  for (auto& [at, position] : offsets) partitions.at(at)->committed = std::move(position);
  return {};
}

std::optional<OffsetAndMetadata> ParallelPoller::position_of(ParallelPartition& partition) {
  struct Found {
    std::optional<Offset> position{};
    FinishedRanges finished{};
    bool is_empty = false;
  };
  auto found = parts_.pool.look([&] {
    return Found{partition.window.position(), partition.window.finished(), partition.window.is_empty()};
  });
  if (!found.position) return std::nullopt;
  Offset position = *found.position;
  if (found.is_empty && !has_unseen_) {
    // Behind markers too, where nothing is left before them.
    if (auto polled = consumer_.position(partition.at)) position = std::max(position, *polled);
  }
  position = join_position(position, found.finished);
  return OffsetAndMetadata{.offset = position, .metadata = encode_finished(position, found.finished)};
}

void ParallelPoller::on_assigned(const Partitions& partitions) {
  for (const TopicPartition& at : partitions) {
    auto before = finished_before(at);
    if (!before) failed_inside_ = before.error().with_context("what was finished before may be repeated");
    own(at, before ? *std::move(before) : FinishedRanges());
  }
  if (is_paused_ && !partitions.empty()) {
    if (auto paused = consumer_.pause(partitions); !paused) failed_inside_ = paused.error();
    for (const TopicPartition& at : partitions) owned_.at(at)->is_paused = true;
  }
  if (parts_.options.listener.on_assigned) parts_.options.listener.on_assigned(partitions);
}

void ParallelPoller::on_revoked(const Partitions& partitions) {
  Owned revoked = give_up(partitions);
  for (const auto& [at, partition] : revoked) parts_.pool.drop(*partition);
  if (!is_closing_) {
    const Time until =
        std::chrono::steady_clock::now() +
        std::min<std::chrono::milliseconds>(parts_.options.revoke_timeout, std::chrono::hours(24));
    for (const auto& [at, partition] : revoked) {
      // Where one takes longer, what is finished by then is committed.
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      parts_.pool.wait_until_unhandled(*partition, std::max(left, std::chrono::milliseconds(0)));
    }
    if (auto committed = commit(revoked); !committed) failed_inside_ = committed.error();
  }
  drop_all(std::move(revoked));
  if (parts_.options.listener.on_revoked) parts_.options.listener.on_revoked(partitions);
}

void ParallelPoller::on_lost(const Partitions& partitions) {
  drop_all(give_up(partitions));
  if (parts_.options.listener.on_lost) parts_.options.listener.on_lost(partitions);
}

Result<FinishedRanges> ParallelPoller::finished_before(const TopicPartition& at) {
  auto committed = consumer_.committed(at);
  if (!committed) return committed.error();
  if (!*committed) return FinishedRanges();
  FinishedRanges finished = decode_finished(**committed);
  if (finished.ranges.empty()) return finished;
  auto reader = engine_.consumer({.max_poll_records = 1,
                                  .isolation_level = parts_.options.consumer.isolation_level,
                                  .check_crcs = parts_.options.consumer.check_crcs});
  if (!reader) return reader.error();
  if (auto assigned = reader->assign({at}); !assigned) return assigned.error();
  if (auto sought = reader->seek(at, finished.mark.offset); !sought) return sought.error();
  auto records = reader->poll(std::chrono::milliseconds(0));
  if (!records) return records.error();
  const bool is_there = !records->empty() && (*records)[0].offset() == finished.mark.offset &&
                        fingerprint_of((*records)[0]) == finished.mark.fingerprint;
  return is_there ? std::move(finished) : FinishedRanges();
}

ParallelPoller::Owned ParallelPoller::give_up(const Partitions& partitions) {
  Owned given;
  for (const TopicPartition& at : partitions) {
    if (auto found = owned_.extract(at)) given.insert(std::move(found));
  }
  return given;
}

void ParallelPoller::drop_all(Owned&& partitions) {
  gone_.reserve(gone_.size() + partitions.size());
  for (auto& [at, partition] : partitions) {
    parts_.pool.drop(*partition);
    gone_.push_back(std::move(partition));
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
