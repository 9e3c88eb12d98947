// Brings what the journal has made durable into the catalog: every second or so the facts alone, so that
// other processes see them, and with a checkpoint the recovery points of the partitions, too, so that the
// journal's files can be used again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>

#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "directory/recovery/log_moment.hpp"
#include "directory/upkeep/journal_limit.hpp"
#include "directory/upkeep/reserve.hpp"
#include "journal/journal.hpp"
#include "partition/partition.hpp"
#include "state/durable_facts.hpp"
#include "transaction/transaction_coordinator.hpp"

namespace seriatim::directory {

/// The parts of a writing engine around it. All of them outlive it.
struct CheckpointerEnvironment {
  /// Keeps a topic from being deleted between the look at its partitions and the store.
  base::Mutex& topics_mutex;
  journal::Journal& journal;
  catalog::Catalog& catalog;
  LogMoments& moments;  ///< Under topics_mutex.
  transaction::TransactionCoordinator& coordinator;
  Reserve& reserve;
  JournalLimit& limit;
  const base::Clock& clock;
  std::vector<state::DurableFacts*> facts{};
  std::function<std::vector<partition::PartitionPtr>()> open_partitions{};
  /// Is told what nobody waits for.
  std::function<void(LogLevel, std::string_view)> report{};
};

/// Threads: any. Lock order: topics_mutex, then its own.
class Checkpointer {
 public:
  /// @param covered_lsn  of the last checkpoint.
  /// @param tie  of this run.
  Checkpointer(CheckpointerEnvironment environment, std::uint64_t covered_lsn, const catalog::JournalTie& tie)
      : environment_(std::move(environment)), covered_lsn_(covered_lsn), tie_(tie), shown_lsn_(covered_lsn) {}

  /// Before anything is appended: that the last stop was clean is true no more, and catalog and logs are of a
  /// moment of this run.
  /// Errors: as the catalog.
  Result<> begin_writing(bool was_clean);
  /// Syncs the partitions and moves what the journal tells to where it belongs; its files are used again.
  /// Errors: as the catalog and the partitions; the journal has everything then.
  Result<> checkpoint();
  /// Lets other processes see what was committed; the journal keeps it all the same.
  /// Cost: in proportion to what changed since the last time.
  Result<> store_commits();
  /// Syncs every open partition.
  Result<> sync_partitions();
  /// The last checkpoint, of partitions that are closed; then the journal's end. With topics_mutex held.
  /// @param outcome  whether all of them, and all transactions, have ended well.
  /// @return the first failure, `outcome` included.
  Result<> close(std::vector<std::pair<TopicPartition, catalog::PartitionState>> partitions,
                 Result<> outcome);

  /// How many there were.
  std::uint64_t checkpoints() const noexcept { return checkpoints_.value(); }
  /// The LSN that the last one covers.
  std::uint64_t lsn() const noexcept { return shown_lsn_.load(std::memory_order_relaxed); }
  /// By the wall clock; 0: there was none that anybody knows of.
  std::int64_t time_ms() const noexcept { return time_ms_.load(std::memory_order_relaxed); }
  /// When the last one was, that another run has made.
  void assume_time_ms(std::int64_t time_ms) noexcept { time_ms_.store(time_ms, std::memory_order_relaxed); }

 private:
  /// LSNs of the newest frames that something was gathered of.
  struct GatheredLsns {
    std::uint64_t applied = 0;    ///< A decision's.
    std::uint64_t positions = 0;  ///< Of other frames.
  };
  struct TakenPartition {
    partition::PartitionPtr partition{};
    partition::PartitionCheckpoint checkpoint{};
  };

  Result<> checkpoint_once();
  /// @param marks  of the partitions, in their order.
  Result<> sync_together(const std::vector<partition::PartitionPtr>& partitions,
                         const std::vector<partition::SyncMark>& marks);
  /// As far as a checkpoint may cover that gathers behind this.
  std::uint64_t coverable_lsn() const SERIATIM_REQUIRES(mutex_);
  /// Nobody waits for what cannot be stored.
  void report_left_out(const catalog::TableWrites& gathered) const;
  GatheredLsns gathered_lsns() const;
  Result<> make_gathered_durable(const GatheredLsns& gathered, std::uint64_t covered);
  /// The partitions whose recovery points the catalog does not have, added to `to`.
  static std::vector<TakenPartition> take_recovery_points(
      const std::vector<partition::PartitionPtr>& partitions, catalog::Checkpoint& to);
  /// Gives it the next moment, of which the logs are told once it is stored.
  Result<> store(catalog::Checkpoint& gathered) SERIATIM_REQUIRES(mutex_);
  /// The catalog has everything up to `lsn`.
  void note_checkpoint(std::uint64_t lsn) noexcept SERIATIM_REQUIRES(mutex_);

  const CheckpointerEnvironment environment_;
  base::Mutex mutex_;  ///< One at a time.
  std::uint64_t covered_lsn_ SERIATIM_GUARDED_BY(mutex_);
  catalog::JournalTie tie_ SERIATIM_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> shown_lsn_;  ///< As covered_lsn_, for whoever looks.
  std::atomic<std::int64_t> time_ms_{0};
  base::Counter checkpoints_;
};

}  // namespace seriatim::directory
