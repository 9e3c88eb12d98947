// The transactions of an engine: who holds which transactional id, what each has written where, and the steps
// of an end.
//
// A commit is one journal frame. At `all`, everything that the transaction has written is in the journal
// before that frame, or was synced: so the frame alone says that all of it is there, after any fault. At
// `leader` the frame is the only one: what the transaction has written is there if the process dies, and
// after a power cut recovery looks (unflushed_commits.hpp). The frame is made durable (or written) first;
// then markers are appended to the partitions, and after the last one its records are released in all of them
// at once (INV-8, release_queue.hpp). An abort needs no frame: what was not decided is aborted by recovery.
//
// Lock order: a holder's mutex, then those of partitions, journal, and of this class. Nothing here is held
// while code of the application runs.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "catalog/records/transactional_id.hpp"
#include "format/batch/control_record.hpp"
#include "format/journal/journal_decision.hpp"
#include "journal/journal.hpp"
#include "partition/visibility_gate.hpp"
#include "transaction/release_queue.hpp"
#include "transaction/transactional_id.hpp"
#include "transaction/unflushed_commits.hpp"

namespace seriatim::transaction {

/// The parts of the engine around it that the coordinator needs.
struct TransactionCoordinatorEnvironment {
  journal::Journal& journal;
  partition::VisibilityGate& gate;
  const base::Clock& clock;
  /// The largest decision: what it says takes one frame of the journal.
  std::uint64_t decision_bytes_max = 0;
  /// An id that no producer of the directory ever had.
  std::function<Result<ProducerId>()> new_producer_id{};
  /// Stores what an id stands for where a restart and other processes find it.
  std::function<Result<>(const std::string&, const catalog::TransactionalId&)> store_id{};
  /// Makes room in the journal: a checkpoint.
  std::function<Result<>()> make_room{};
  /// Calls what it is given; on a full disk once more, with the reserve given up.
  std::function<Result<>(const std::function<Result<>()>&)> with_reserve{};
};

/// A transactional id, as it is shown to people.
struct TransactionInfo {
  std::string transactional_id{};
  ProducerId producer_id = -1;
  ProducerEpoch producer_epoch = -1;
  Phase phase = Phase::empty;
  std::chrono::milliseconds timeout{0};
  std::int64_t started_ms = -1;  ///< -1: none is open.
  std::vector<TopicPartition> partitions{};
};

/// How many transactions have ended, and how.
struct TransactionCounts {
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t timed_out = 0;  ///< Of the aborted ones.
  std::uint64_t open = 0;       ///< Now.
};

/// Threads: any number, any method.
class TransactionCoordinator {
 public:
  explicit TransactionCoordinator(TransactionCoordinatorEnvironment environment)
      : environment_(std::move(environment)), releases_(environment_.gate) {}

  /// Takes over the state of an id from the catalog, the journal and the partitions. Before anything else, at
  /// open.
  void restore(std::string_view transactional_id, const catalog::TransactionalId& record);

  /// Makes the caller the holder of `transactional_id`, which is stored. The holder before it is fenced, and
  /// what it left open is aborted; a commit of it that is under way is finished.
  /// Errors: those of new_producer_id and store_id: nothing has changed · as `abort`. The older one is still
  /// the holder in each case.
  Result<HolderPtr> open(std::string_view transactional_id, std::chrono::milliseconds timeout);

  /// @return the number of the transaction, which every later call gives.
  /// Errors: producer_fenced · concurrent_transactions: one is open · those of new_producer_id.
  Result<std::uint64_t> begin(Holder& holder);

  /// A batch of the transaction, on its way into a partition.
  struct Batch {
    partition::Partition& partition;
    const format::Id& topic_id;
    std::int32_t record_count = 1;
    /// The same for all of a transaction.
    partition::Durability durability = partition::Durability::durable;
    format::FrameOptions& options;  ///< Get what the transaction adds.
    /// Makes the batch with these options.
    std::function<Result<>(const format::FrameOptions&, format::FramedBatch&)> frame{};
  };
  /// Errors: invalid_txn_state: the transaction has ended · transaction_abortable · producer_fenced · closed
  /// · as Partition::append and `frame`.
  Result<partition::PartitionAppend> append(Holder& holder, std::uint64_t number, const Batch& batch);

  /// ok if `number` is open and may go on: for who gathers, with the holder's mutex, what is to become true
  /// with the commit.
  /// Errors: as `append`.
  Result<> check_open(const Holder& holder, std::uint64_t number) const SERIATIM_REQUIRES(holder.mutex);

  /// ok if the open transaction's decision may grow by `more` bytes: an addition that could not be committed
  /// is refused.
  /// Errors: record_too_large.
  Result<> check_room(const Holder& holder, std::int64_t more) const SERIATIM_REQUIRES(holder.mutex);

  /// Whether it may still be committed or aborted.
  bool is_open(const Holder& holder, std::uint64_t number) const;

  /// Decides on what was appended and on the holder's effects.
  /// @param durability  durable: waits for stable storage; published: until the decision survives the death
  /// of the process. A decision of an earlier call stays as it was.
  /// Errors: as `append`; with Outcome::unknown the same call again goes on where it stopped.
  Result<> commit(Holder& holder, std::uint64_t number, partition::Durability durability);
  /// Idempotent.
  /// Errors: producer_fenced · invalid_txn_state: committed, or being committed · as
  /// Partition::append_marker: the next call, or `tend`, goes on.
  Result<> abort(Holder& holder, std::uint64_t number);

  /// Whether `tend` would find something to do. Waits for nothing: one that is being worked with, which may
  /// mean a wait for the disk, is left out until the next look.
  bool needs_advancing() const;
  /// Aborts what has been open for longer than its time-out, and goes on with ends that stopped on the way.
  /// One that is being worked with is left out: it must not keep the others from their end.
  /// @return the first failure; all were tried.
  Result<> advance();
  /// Aborts the transaction that is open under this id. The holder stays, and may begin another.
  /// Errors: transactional_id_not_found · as `abort`.
  Result<> abort_by_id(std::string_view transactional_id);
  /// Ends everything, and refuses what comes later: the engine is being closed.
  /// Errors: as `tend`.
  Result<> end_all();
  /// Forgets ids that nobody holds and that were not used since.
  /// @return their names, to be taken out of the catalog.
  std::vector<std::string> forget_unused(std::int64_t older_than_ms);

  /// Up to here, every decision in the journal has its markers in the logs and its facts where `apply` puts
  /// them: as far as a checkpoint may cover. While a decision is on its way into the journal that may be less
  /// than an earlier call has answered, which is still true.
  /// Read it after the newest staged LSN (Journal::stats), and before what `apply` changed is gathered.
  /// Cost: a load for each id.
  std::uint64_t settled_lsn() const;
  /// Of the newest decision that was applied, if only by its records; 0: there was none. It was written
  /// before.
  std::uint64_t applied_lsn() const noexcept { return applied_lsn_.load(std::memory_order_acquire); }

  /// Brings the journal up to `lsn` to stable storage, and everything that decisions up to there decide on:
  /// before anybody is told that a commit, or what lies behind a marker, is durable.
  /// Errors: as Partition::flush, and everything that waits for the journal.
  Result<> make_durable(std::uint64_t lsn);

  /// Of all ids ever opened that were not forgotten, sorted.
  std::vector<TransactionInfo> list() const;
  TransactionCounts counts() const noexcept;
  /// Which of the ended ones are to be seen: for whoever ends a transaction that is no holder's.
  ReleaseQueue& releases() noexcept { return releases_; }
  /// The ids and epochs that the catalog does not know yet. An id that is told twice does no harm.
  std::vector<std::pair<std::string, catalog::TransactionalId>> changed_ids() const;
  /// The catalog has what `news` told.
  void mark_stored(const std::vector<std::pair<std::string, catalog::TransactionalId>>& news);

 private:
  struct Known {
    catalog::TransactionalId record{};
    HolderPtr holder{};  ///< nullptr: nobody has opened it since the engine was.
  };

  // coordinator.cpp
  bool is_due(const Holder& holder) const SERIATIM_REQUIRES(holder.mutex);
  Result<ProducerIdAndEpoch> take_over(Holder& older, const std::string& id,
                                       std::chrono::milliseconds timeout) SERIATIM_EXCLUDES(older.mutex);
  Result<ProducerIdAndEpoch> store_next(const std::optional<ProducerIdAndEpoch>& last, const std::string& id,
                                        std::chrono::milliseconds timeout);
  Result<Enlisted*> enlist(Holder& holder, const Batch& batch) const SERIATIM_REQUIRES(holder.mutex);
  std::vector<HolderPtr> holders() const;

  // coordinator_end.cpp
  Result<> stage_decision(Holder& holder, partition::Durability durability, std::int64_t time_ms)
      SERIATIM_REQUIRES(holder.mutex);
  static void encode_decision(Holder& holder, std::int64_t time_ms) SERIATIM_REQUIRES(holder.mutex);
  Result<> sync_what_has_no_frame(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  Result<> finish_commit(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  Result<> finish_abort(Holder& holder, Ending ending) SERIATIM_REQUIRES(holder.mutex);
  Result<> wait_for_decision(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  Result<> append_markers(Holder& holder, format::ControlType type, std::int64_t timestamp_ms)
      SERIATIM_REQUIRES(holder.mutex);
  Result<> end(Holder& holder, Ending ending) SERIATIM_REQUIRES(holder.mutex);
  void apply(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  static Result<> flush_markers(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  static const EndedParts& take_ended(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  static void keep_partitions(Holder& holder) SERIATIM_REQUIRES(holder.mutex);
  void close_transaction(Holder& holder, Ending ending) SERIATIM_REQUIRES(holder.mutex);

  const TransactionCoordinatorEnvironment environment_;
  ReleaseQueue releases_;
  UnflushedCommits unflushed_;
  std::atomic<bool> is_closing_{false};
  std::atomic<std::uint64_t> applied_lsn_{0};
  base::Counter begun_;
  base::Counter committed_;
  base::Counter aborted_;
  base::Counter timed_out_;
  base::Mutex opening_mutex_;  ///< One opening at a time. Before a holder's.
  mutable base::Mutex known_mutex_;
  std::map<std::string, Known, std::less<>> known_ SERIATIM_GUARDED_BY(known_mutex_);
};

}  // namespace seriatim::transaction
