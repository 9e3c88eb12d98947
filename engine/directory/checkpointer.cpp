#include "directory/checkpointer.hpp"

#include <algorithm>

#include "directory/topics/partition_states.hpp"
#include "transaction/transaction_errors.hpp"

namespace seriatim::directory {

Result<> Checkpointer::begin_writing(bool was_clean) {
  const base::MutexLock topics(environment_.topics_mutex);
  const base::MutexLock lock(mutex_);
  catalog::Checkpoint begun;
  if (was_clean) begun.clean_shutdown = false;
  return store(begun);
}

// Without an LSN: frames that a replay repeats end where they ended. And so nothing is forgotten here.
Result<> Checkpointer::store_commits() {
  const base::MutexLock topics(environment_.topics_mutex);
  const base::MutexLock lock(mutex_);
  std::vector<state::DurableFacts*> changed;
  for (auto* kind : environment_.facts) {
    if (!kind->stands_alone() && kind->has_changes()) changed.push_back(kind);
  }
  if (changed.empty()) return {};
  catalog::Checkpoint shown;
  for (auto* kind : changed) kind->gather(shown.writes);
  report_left_out(shown.writes);
  if (auto durable = make_gathered_durable(gathered_lsns(), 0); !durable) return durable;
  if (auto stored = environment_.catalog.checkpoint(shown); !stored) return stored;
  constexpr std::uint64_t nothing_is_covered = 0;
  for (auto* kind : changed) kind->stored(nothing_is_covered);
  return {};
}

// The contents of the journal come home: facts and recovery points in one transaction with the LSN they
// cover, after the segments were synced that the frames up to it tell of.
Result<> Checkpointer::checkpoint() {
  auto stored = environment_.reserve.spend_on([this] { return checkpoint_once(); });
  environment_.limit.look();
  return stored;
}

// The partitions come last: the markers of settled decisions are below their recovery points.
Result<> Checkpointer::checkpoint_once() {
  const base::MutexLock topics(environment_.topics_mutex);
  const base::MutexLock lock(mutex_);
  const std::uint64_t lsn = coverable_lsn();
  catalog::Checkpoint stored{.covered_lsn = lsn};
  for (auto* kind : environment_.facts) kind->gather(stored.writes);
  report_left_out(stored.writes);
  const GatheredLsns gathered = gathered_lsns();
  const auto open = environment_.open_partitions();
  std::vector<partition::SyncMark> marks;
  for (const auto& partition : open) {
    auto mark = partition->prepare_checkpoint();
    if (!mark) return mark.error();
    marks.push_back(*mark);
  }
  if (auto synced = sync_together(open, marks); !synced) return synced;
  if (auto durable = make_gathered_durable(gathered, lsn); !durable) return durable;
  const auto taken = take_recovery_points(open, stored);
  if (lsn <= covered_lsn_ && stored.partitions.empty() && stored.writes.empty()) return {};
  tie_.stored_lsn = environment_.journal.stored_lsn();
  stored.journal = tie_;
  if (auto done = store(stored); !done) return done;
  note_checkpoint(lsn);
  for (const auto& [partition, checkpoint] : taken) partition->checkpoint_stored(checkpoint);
  for (auto* kind : environment_.facts) kind->stored(lsn);
  return environment_.journal.recycle_below(lsn + 1, tie_.stored_lsn);
}

// The logs are told last: no crash leaves them ahead of the catalog.
Result<> Checkpointer::store(catalog::Checkpoint& gathered) {
  gathered.moment = catalog::Moment{environment_.moments.next()};
  if (auto done = environment_.catalog.checkpoint(gathered); !done) return done;
  if (auto told = environment_.moments.tell_logs(); !told) {
    // The checkpoint was made all the same, and the next one tells them again.
    environment_.report(LogLevel::warn, "the logs were not told of a checkpoint: " + told.error().message());
  }
  return {};
}

// All decisions with a marker below one of the marks are secured at once: by the first partition, they would
// be up to its own mark only, and every other partition is flushed for that.
Result<> Checkpointer::sync_together(const std::vector<partition::PartitionPtr>& partitions,
                                     const std::vector<partition::SyncMark>& marks) {
  std::uint64_t decided_lsn = 0;
  for (const auto& mark : marks) decided_lsn = std::max(decided_lsn, mark.decided_lsn);
  if (decided_lsn > 0) {
    if (auto secured = environment_.coordinator.make_durable(decided_lsn); !secured) return secured;
  }
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    if (auto synced = partitions[i]->sync_to(marks[i]); !synced) return synced;
  }
  return {};
}

Result<> Checkpointer::sync_partitions() {
  const auto open = environment_.open_partitions();
  std::vector<partition::SyncMark> marks;
  for (const auto& partition : open) marks.push_back(partition->sync_mark());
  return sync_together(open, marks);
}

std::vector<Checkpointer::TakenPartition> Checkpointer::take_recovery_points(
    const std::vector<partition::PartitionPtr>& partitions, catalog::Checkpoint& to) {
  std::vector<TakenPartition> taken;
  for (const auto& partition : partitions) {
    const auto checkpoint = partition->checkpoint();
    if (partition->is_stored(checkpoint)) continue;
    taken.push_back({partition, checkpoint});
    to.partitions.emplace_back(partition->name(), to_state(checkpoint));
  }
  return taken;
}

// Behind the gathering: nothing was gathered that is newer.
Checkpointer::GatheredLsns Checkpointer::gathered_lsns() const {
  GatheredLsns lsns{.applied = environment_.coordinator.applied_lsn()};
  for (const auto* kind : environment_.facts) lsns.positions = std::max(lsns.positions, kind->newest_lsn());
  return lsns;
}

// The gathered facts reach stable storage with the catalog at once, but may tell of frames that a power cut
// takes. Positions and state of a decision must not stay without it (INV-8); and of two positions, an older
// frame that is left would take the place of one, and none that of the other.
Result<> Checkpointer::make_gathered_durable(const GatheredLsns& gathered, std::uint64_t covered) {
  auto& coordinator = environment_.coordinator;
  if (gathered.positions > covered) {
    auto secured = coordinator.make_durable(gathered.positions);
    // A frame that finds no room was not acknowledged, and a checkpoint is what makes room.
    const bool lacks_room = !secured && transaction::may_lack_room(secured.error());
    if (!secured && !lacks_room) return secured;
  }
  // Decisions that were applied are written, and need none.
  return gathered.applied > covered ? coordinator.make_durable(gathered.applied) : Result<>();
}

// Read before the facts are gathered: what a frame up to it tells of is either in what is gathered behind it,
// or it is a decision that is not settled, which the LSN stays below.
//
// The covered LSN never goes back: a decision on its way into the journal says that it is not settled
// before it has its LSN, with one that may be older than the last checkpoint.
std::uint64_t Checkpointer::coverable_lsn() const {
  const std::uint64_t staged_lsn = environment_.journal.stats().staged_lsn;
  return std::max(covered_lsn_, std::min(staged_lsn, environment_.coordinator.settled_lsn()));
}

void Checkpointer::report_left_out(const catalog::TableWrites& gathered) const {
  for (const Error& refused : gathered.left_out()) environment_.report(LogLevel::error, refused.message());
}

void Checkpointer::note_checkpoint(std::uint64_t lsn) noexcept {
  covered_lsn_ = lsn;
  checkpoints_.add();
  shown_lsn_.store(lsn, std::memory_order_relaxed);
  time_ms_.store(environment_.clock.wall_ms(), std::memory_order_relaxed);
}

Result<> Checkpointer::close(std::vector<std::pair<TopicPartition, catalog::PartitionState>> partitions,
                             Result<> outcome) {
  const base::MutexLock lock(mutex_);
  auto& journal = environment_.journal;
  const std::uint64_t lsn = coverable_lsn();
  tie_.stored_lsn = journal.stored_lsn();
  catalog::Checkpoint last{.journal = tie_, .partitions = std::move(partitions)};
  if (outcome) {
    last.covered_lsn = lsn;
    // Clean says that the journal has nothing beyond.
    last.clean_shutdown = lsn == journal.stats().staged_lsn;
  }
  for (auto* kind : environment_.facts) {
    // The journal has the rest; what a decision says is not to be stored before its records are safe.
    if (outcome || kind->stands_alone()) kind->gather(last.writes);
  }
  report_left_out(last.writes);
  auto done = store(last);
  if (done && outcome) note_checkpoint(lsn);
  if (done && outcome) done = journal.recycle_below(lsn + 1, tie_.stored_lsn);
  if (!done && outcome) outcome = done;
  if (auto shut = journal.close(); !shut && outcome) outcome = shut;
  return outcome;
}

}  // namespace seriatim::directory
