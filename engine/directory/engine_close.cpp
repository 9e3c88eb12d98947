// Steps of an engine as a whole: flush and close.
#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/boundary.hpp"
#include "delivery/delivery_thread.hpp"
#include "directory/background.hpp"
#include "directory/engine_impl.hpp"
#include "directory/engine_metrics.hpp"
#include "directory/open_partitions.hpp"
#include "directory/topics/partition_states.hpp"
#include "directory/upkeep/counters_file.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A partition waits for the disk several times while it closes. Side by side they wait together, since the
// file system makes one commit of what many threads sync: 6 k syncs/s by one thread, 33 k/s by sixteen.
constexpr std::size_t closers_max = 16;
// Arbitrary: below this a thread costs more than it saves.
constexpr std::size_t partitions_per_closer = 16;

using CloseResult = Result<partition::PartitionCheckpoint>;

// Closes each partition; the results are in the same order.
std::vector<CloseResult> close_each(const std::vector<partition::PartitionPtr>& partitions) {
  std::vector<CloseResult> results(partitions.size(), CloseResult(partition::PartitionCheckpoint{}));
  std::atomic<std::size_t> next{0};
  const auto work = [&]() noexcept {
    for (std::size_t i = next.fetch_add(1); i < partitions.size(); i = next.fetch_add(1))
      results[i] = base::answered([&] { return partitions[i]->close(); });
  };
  std::vector<std::thread> helpers;
  const std::size_t closers = std::min(closers_max, partitions.size() / partitions_per_closer);
  try {
    helpers.reserve(closers);
    while (helpers.size() + 1 < closers) helpers.emplace_back(work);
  } catch (const std::exception&) {
    // The system gives no more threads, or no memory for them: those that are there, this one at least, do it
    // all.
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  return results;
}

}  // namespace

Result<> EngineImpl::flush() {
  if (auto writable = check_writable(); !writable) return writable;
  auto unclaimed = directory::for_each_open(
      *this, [](const auto& partition) { return partition.check_unclaimed("flushing"); });
  if (!unclaimed) return unclaimed;
  if (auto synced = checkpointer->sync_partitions(); !synced) return synced;
  // Offsets that were committed at `leader` have frames that may only be written.
  return coordinator->make_durable(journal->stats().staged_lsn);
}

Result<> EngineImpl::close() {
  // Before anything is closed: the threads to be ended may be waiting for the claim.
  auto unclaimed = directory::for_each_open(
      *this, [](const auto& partition) { return partition.check_unclaimed("closing the engine"); });
  if (!unclaimed) return unclaimed;
  const base::MutexLock closing(close_mutex);
  if (closed.exchange(true, std::memory_order_acq_rel)) return {};
  // Even if one of the steps fails, the others are taken: a close that has begun cannot be repeated.
  const Result<> ended = base::answered([this] { return stop_work(); });
  const base::MutexLock guard(topics.mutex());
  topics.await_deletions();
  auto outcome = is_read_only() ? Result<>{} : base::answered([&] { return close_partitions(ended); });
  // A journal that is still open would write beside the next engine.
  if (journal && !outcome) static_cast<void>(base::answered([this] { return journal->close(); }).ok());
  // Handles may live on; the directory must be free for another engine, and LMDB allows one environment of a
  // file in a process.
  catalog->close();
  // The numbers of a process that lived for less than a tick are published too.
  if (counters_file) {
    const auto reports = base::answered([this]() -> Result<std::vector<directory::JobReport>> {
      return background ? background->reports() : std::vector<directory::JobReport>();
    });
    if (reports) counters_file->update(directory::metrics_of(*this), *reports, clock.wall_ms());
  }
  counters_file.reset();
  lock.release();
  return outcome;
}

Result<> EngineImpl::stop_work() {
  static_cast<void>(directory::for_each_open(*this, [](auto& partition) {
                      partition.listeners().notify();  // Sleeping consumers find the engine closed.
                      return Result<>();
                    }).ok());
  groups.wake_all();
  if (background) background->stop();
  if (delivery) delivery->stop();
  if (is_read_only()) return {};
  // Markers are appended, and a commit that lacks room makes a checkpoint: before the lock that takes.
  return coordinator->end_all();
}

Result<> EngineImpl::close_partitions(const Result<>& ended) {
  // Made again at the end: whoever opens next may find the disk full.
  std::optional<directory::Reserve::Spending> spending;
  if (reserve.is_needed()) spending.emplace(reserve);
  Result<> outcome = ended;
  std::vector<std::pair<TopicPartition, catalog::PartitionState>> partitions;
  // Closes the slots too: nobody who looked a topic up before may open a partition beside the next engine.
  const auto open = topics.close(Error(Errc::closed, "the engine was closed; open it again"));
  const auto results = close_each(open);
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (results[i]) {
      partitions.emplace_back(open[i]->name(), directory::to_state(*results[i]));
    } else if (outcome) {
      outcome = results[i].error();
    }
  }
  // One partition that could not be closed cleanly makes the whole close unclean: the next open recovers.
  return checkpointer->close(std::move(partitions), std::move(outcome));
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
