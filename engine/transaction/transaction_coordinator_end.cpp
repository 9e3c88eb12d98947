// How a transaction ends. Every step can be repeated: an end that fails on the way is taken up again by the
// next call, or by `tend`.
#include <algorithm>
#include <utility>

#include "base/boundary.hpp"
#include "transaction/transaction_coordinator.hpp"
#include "transaction/transaction_errors.hpp"

namespace seriatim::transaction {

Result<> TransactionCoordinator::commit(Holder& holder, std::uint64_t number,
                                        partition::Durability durability) {
  const base::MutexLock lock(holder.mutex);
  const bool goes_on = holder.number == number && holder.phase == Phase::committing;
  if (!goes_on) {
    // The prompt thread has finished it since the first call.
    if (holder.number == number && holder.ending == Ending::committed) return {};
    if (auto checked = check_open(holder, number); !checked) return checked;
    const auto now_ms = environment_.clock.both_ms();
    if (now_ms.monotonic >= holder.deadline_ms) {
      if (auto aborted = finish_abort(holder, Ending::timed_out); !aborted) return aborted;
      return timed_out(holder.id, holder.timeout);
    }
    if (holder.enlisted.empty() && (!holder.effects || holder.effects->is_empty())) {
      close_transaction(holder, Ending::committed);
      return {};
    }
    if (auto staged = stage_decision(holder, durability, now_ms.wall); !staged) return staged;
  }
  // Even if a step fails, the decision is staged: what became of it is not known before it is finished.
  auto finished =
      base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<> { return finish_commit(holder); });
  return finished ? finished : finished.error().with_outcome(Outcome::unknown);
}

void TransactionCoordinator::encode_decision(Holder& holder, std::int64_t time_ms) {
  const auto identity = holder.identity();
  format::JournalDecision& decision = holder.decision;
  // Left by one that was not finished for want of memory.
  decision.partitions.clear();
  decision.offsets.clear();
  decision.state.clear();
  decision.deaths.clear();
  decision.producer_id = identity.id;
  decision.producer_epoch = identity.epoch;
  decision.next_epoch = static_cast<ProducerEpoch>(identity.epoch + 1);
  decision.time_ms = time_ms;
  decision.transactional_id = holder.id;
  for (const auto& enlisted : holder.enlisted) {
    decision.partitions.push_back({.topic_id = enlisted.topic_id,
                                   .partition = enlisted.partition->name().partition,
                                   .first_offset = enlisted.first_offset,
                                   .last_offset = enlisted.last_offset});
  }
  if (holder.effects) holder.effects->describe(decision);
  format::encode_journal_decision(decision, holder.payload);
  // The texts that it views do not stay.
  decision.partitions.clear();
  decision.offsets.clear();
  decision.state.clear();
  decision.deaths.clear();
}

Result<> TransactionCoordinator::stage_decision(Holder& holder, partition::Durability durability,
                                                std::int64_t time_ms) {
  const bool is_durable = durability == partition::Durability::durable;
  if (is_durable) {
    if (auto synced = sync_what_has_no_frame(holder); !synced) return synced;
  } else {
    for (const auto& enlisted : holder.enlisted) unflushed_.enter(*enlisted.partition);
  }
  encode_decision(holder, time_ms);
  const auto type =
      is_durable ? format::JournalFrameType::decision : format::JournalFrameType::decision_at_leader;
  auto frame = journal::StagedFrame::encoded(type, holder.payload);
  // Before it is staged, or a checkpoint could cover it before its markers are there.
  holder.unsettled_lsn.store(environment_.journal.written_lsn() + 1, std::memory_order_release);
  auto lsn = base::answered([&] {
    return is_durable ? environment_.journal.stage(std::move(frame))
                      : environment_.journal.stage_through(std::move(frame));
  });
  holder.unsettled_lsn.store(lsn ? *lsn : Holder::all_settled, std::memory_order_release);
  if (!lsn) return lsn.error();
  holder.decision_lsn = *lsn;
  holder.phase = Phase::committing;
  holder.is_decided = false;
  holder.is_durable_wanted = is_durable;
  holder.decided_ms = time_ms;
  return {};
}

// Batches that went past the journal (large batches, a file system without mapped writes, batches behind some
// that were not journalled) has to be on stable storage before the decision can be.
Result<> TransactionCoordinator::sync_what_has_no_frame(Holder& holder) {
  for (auto& enlisted : holder.enlisted) {
    if (!enlisted.needs_sync) continue;
    auto synced = enlisted.partition->sync_to(enlisted.last_offset + 1);
    if (!synced) return synced.error().with_outcome(Outcome::not_written);
    enlisted.needs_sync = false;
  }
  return {};
}

Result<> TransactionCoordinator::wait_for_decision(Holder& holder) {
  const auto wait = [&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    return holder.is_durable_wanted ? make_durable(holder.decision_lsn)
                                    : environment_.journal.write_through(holder.decision_lsn);
  };
  auto waited = wait();
  if (waited) return waited;
  if (!may_lack_room(waited.error())) return waited;
  // It stays staged. A checkpoint up to before it makes room.
  if (!environment_.make_room()) return waited;
  return wait();
}

// A checkpoint that gathers the effects applied here has to see first how far they reach; and one that
// gathers a position that was committed beside a transaction of records only, that this one came before it.
void TransactionCoordinator::apply(Holder& holder) {
  std::uint64_t newest = applied_lsn_.load(std::memory_order_relaxed);
  while (newest < holder.decision_lsn &&
         !applied_lsn_.compare_exchange_weak(newest, holder.decision_lsn, std::memory_order_acq_rel)) {
  }
  if (holder.effects) holder.effects->apply(holder.decision_lsn);
}

Result<> TransactionCoordinator::finish_commit(Holder& holder) {
  const auto unknown = [](const Result<>& failed) { return failed.error().with_outcome(Outcome::unknown); };
  if (!holder.is_decided) {
    if (auto waited = wait_for_decision(holder); !waited) return unknown(waited);
    apply(holder);
    holder.is_decided = true;
  }
  if (auto marked = append_markers(holder, format::ControlType::commit, holder.decided_ms); !marked)
    return unknown(marked);
  // The decision's frame is on stable storage, and with it what the transaction wrote before. Told before the
  // release, so that whoever is shown only what is durable sees it in all partitions at once, too (INV-8).
  for (const auto& enlisted : holder.enlisted) {
    if (!holder.is_durable_wanted || enlisted.partition->is_deleted()) continue;
    auto told =
        enlisted.partition->wait_durable({.last_offset = enlisted.last_offset, .lsn = holder.decision_lsn});
    if (!told) return unknown(told);
  }
  releases_.commit(take_ended(holder));
  holder.unsettled_lsn.store(Holder::all_settled, std::memory_order_release);
  const auto flushed = flush_markers(holder);
  close_transaction(holder, Ending::committed);
  return flushed ? flushed : unknown(flushed);
}

Result<> TransactionCoordinator::abort(Holder& holder, std::uint64_t number) {
  const base::MutexLock lock(holder.mutex);
  if (holder.number != number) return holder.is_fenced ? fenced(holder.id) : has_ended(holder.id);
  switch (holder.phase) {
    case Phase::committing:
      return is_committing(holder.id);
    case Phase::empty:
      if (holder.ending == Ending::committed) return was_committed(holder.id);
      return holder.is_fenced ? Result<>(fenced(holder.id)) : Result<>();
    default:
      return finish_abort(holder, Ending::aborted);
  }
}

Result<> TransactionCoordinator::finish_abort(Holder& holder, Ending ending) {
  if (holder.phase == Phase::ongoing) {
    holder.phase = Phase::aborting;
    holder.ending = ending;
    holder.decision_lsn = 0;
  }
  const std::int64_t now_ms = environment_.clock.wall_ms();
  if (auto marked = append_markers(holder, format::ControlType::abort, now_ms); !marked) return marked;
  releases_.abort(take_ended(holder));
  auto flushed = flush_markers(holder);
  close_transaction(holder, holder.ending);
  return flushed;
}

Result<> TransactionCoordinator::end(Holder& holder, Ending ending) {
  switch (holder.phase) {
    case Phase::empty:
      return {};
    case Phase::committing:
      return finish_commit(holder);
    default:
      return finish_abort(holder, ending);
  }
}

Result<> TransactionCoordinator::append_markers(Holder& holder, format::ControlType type,
                                                std::int64_t timestamp_ms) {
  const auto identity = holder.identity();
  const format::MarkerBatch marker({.type = type,
                                    .producer_id = identity.id,
                                    .producer_epoch = static_cast<ProducerEpoch>(identity.epoch + 1),
                                    .timestamp_ms = timestamp_ms});
  const std::uint64_t decision_lsn = holder.decision_lsn;
  const auto durability = decision_lsn == 0 || holder.is_durable_wanted ? partition::Durability::durable
                                                                        : partition::Durability::published;
  for (auto& enlisted : holder.enlisted) {
    if (enlisted.has_marker) continue;
    const auto append = [&]() -> Result<> {
      auto appended = enlisted.partition->append_marker(marker, decision_lsn, durability);
      // With its topic the partition's part of the transaction is gone.
      if (!appended && !enlisted.partition->is_deleted()) return appended.error();
      if (appended) enlisted.marker = *appended;
      return {};
    };
    auto appended = append();
    if (!appended && appended.error().code() == Errc::storage_full)
      appended = environment_.with_reserve(append);
    if (!appended) return appended;
    enlisted.has_marker = true;
  }
  return {};
}

// Behind the release, and once: a flush that fails must not hold back what is decided. The transaction has
// ended all the same, which the next call answers, and the next append to the partition flushes it.
Result<> TransactionCoordinator::flush_markers(Holder& holder) {
  Result<> outcome;
  for (const auto& enlisted : holder.enlisted) {
    if (enlisted.partition->is_deleted()) continue;
    auto flushed = enlisted.partition->flush_marker(enlisted.marker);
    if (!flushed && outcome) outcome = flushed;
  }
  return outcome;
}

const EndedParts& TransactionCoordinator::take_ended(Holder& holder) {
  holder.ended.clear();
  for (const Enlisted& enlisted : holder.enlisted) {
    const Offset held_from = enlisted.marker.ended_first_offset;
    if (held_from < 0) continue;
    holder.ended.push_back(
        {.partition = enlisted.partition, .first = held_from, .last = enlisted.last_offset});
  }
  return holder.ended;
}

// Partitions that this transaction did not write to are not kept for the next one, nor are deleted ones.
void TransactionCoordinator::keep_partitions(Holder& holder) {
  // Each that was written to is among those that are kept.
  const bool all_written = holder.partitions.size() == holder.enlisted.size();
  std::erase_if(
      holder.partitions, [&](const partition::PartitionPtr& partition) SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
        const auto is_of = [&](const Enlisted& enlisted) { return enlisted.partition == partition.get(); };
        return partition->is_deleted() ||
               (!all_written && std::none_of(holder.enlisted.begin(), holder.enlisted.end(), is_of));
      });
}

void TransactionCoordinator::close_transaction(Holder& holder, Ending ending) {
  // Nothing carries the epoch of a transaction that wrote nothing.
  if (!holder.enlisted.empty() || holder.phase == Phase::committing) {
    const auto identity = holder.identity();
    holder.set_identity({identity.id, static_cast<ProducerEpoch>(identity.epoch + 1)});
  }
  (ending == Ending::committed ? committed_ : aborted_).add();
  if (ending == Ending::timed_out) timed_out_.add();
  keep_partitions(holder);
  if (holder.effects) holder.effects->clear();
  holder.enlisted.clear();
  holder.phase = Phase::empty;
  holder.ending = ending;
  holder.started_ms = -1;
}

}  // namespace seriatim::transaction
