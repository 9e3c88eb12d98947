#include "directory/transaction_recovery.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "directory/engine_impl.hpp"

namespace seriatim::directory {

// The partitions are open, with all that has survived. The first decision of which a part is missing is taken
// back, and every commit behind it. Nobody was told that one of them is durable, nor anything behind one of
// their markers (transaction::UnflushedCommits): where there is one, the log is cut there by recovering once
// more.
Result<> TransactionRecovery::roll_back_lost() {
  const auto& decisions = replay_.decisions();
  auto lost = decisions.end();
  for (auto it = decisions.begin(); it != decisions.end() && lost == decisions.end(); ++it) {
    if (!it->is_at_leader) continue;
    auto survived = has_survived(*it);
    if (!survived) return survived.error();
    if (!*survived) lost = it;
  }
  if (lost == decisions.end()) return {};
  for (auto it = lost; it != decisions.end(); ++it) {
    for (const auto& part : it->partitions) {
      auto found = engine_.topic(part.at.topic);
      if (!found) return found.error();
      (*found)->partitions[static_cast<std::size_t>(part.at.partition)]->reopen();
    }
  }
  const auto count = replay_.roll_back_from(lost->lsn);
  engine_.report(LogLevel::warn,
                 "transaction " + lost->transactional_id + ", committed at acks = leader, lost records; " +
                     std::to_string(count) +
                     " commits from it on are taken back, none of which was acknowledged as durable");
  return {};
}

// Nothing was appended behind what survived but by a recovery that was stopped: an abort, where this one
// found a part missing.
Result<bool> TransactionRecovery::has_survived(const ReplayedDecision& decision) {
  for (const auto& part : decision.partitions) {
    auto found = engine_.partition(part.at.topic, part.at.partition);
    if (!found) return found.error();
    partition::Partition& log = **found;
    // Below the recovery point all was on stable storage. Damage is contained, and tells nothing of what else
    // is there.
    const Offset known_end = std::max(log.log_start_offset(), log.durable_offset());
    if (part.last_offset < known_end || log.damage()) continue;
    const auto producer = log.producer(decision.producer_id);
    if (!producer || producer->epoch < decision.producer_epoch) return false;
    if (producer->epoch == decision.producer_epoch) {
      const bool is_whole = producer->open_first_offset >= 0 && !producer->batches.empty() &&
                            producer->batches.newest().last_offset >= part.last_offset;
      if (!is_whole) return false;
      continue;
    }
    auto is_aborted = log.has_aborted(decision.producer_id, part.first_offset);
    if (!is_aborted) return is_aborted;
    if (*is_aborted) return false;
  }
  return true;
}

// Every partition is open. Killed on the way and done again, it finds the markers that it has appended.
Result<> TransactionRecovery::finish() {
  if (auto restored = restore_epochs(); !restored) return restored;
  for (const auto& decision : replay_.decisions()) {
    if (decision.was_rolled_back) continue;
    if (auto finished = finish_decision(decision); !finished) return finished;
  }
  return abort_undecided();
}

Result<> TransactionRecovery::finish_decision(const ReplayedDecision& decision) {
  const format::EndMarker marker{.type = format::ControlType::commit,
                                 .producer_id = decision.producer_id,
                                 .producer_epoch = decision.next_epoch,
                                 .timestamp_ms = engine_.clock.wall_ms()};
  const auto durability =
      decision.is_at_leader ? partition::Durability::published : partition::Durability::durable;
  for (const auto& part : decision.partitions) {
    auto found = engine_.partition(part.at.topic, part.at.partition);
    if (!found) return found.error();
    const auto producer = (*found)->producer(decision.producer_id);
    const bool is_open =
        producer && producer->open_first_offset >= 0 && producer->epoch == decision.producer_epoch;
    if (!is_open) continue;
    auto marked = (*found)->append_marker(marker, decision.lsn, durability);
    if (!marked) return marked.error();
    (*found)->release_transaction(marked->ended_first_offset);
  }
  return {};
}

// Where the frame of a decision is lost, a marker in another partition may tell of it.
Result<> TransactionRecovery::abort_undecided() {
  for (const auto& partition : engine_.topics.open_partitions()) {
    for (const auto& [id, producer] : partition->producers()) {
      // Transactions of others (a log that came from elsewhere) are theirs to end.
      if (producer.open_first_offset < 0 || id < catalog::first_producer_id) continue;
      const auto next_epoch = static_cast<ProducerEpoch>(producer.epoch + 1);
      const bool is_committed = replay_.is_decided_by_marker(id, next_epoch);
      auto marked = partition->append_marker(
          {.type = is_committed ? format::ControlType::commit : format::ControlType::abort,
           .producer_id = id,
           .producer_epoch = next_epoch,
           .timestamp_ms = engine_.clock.wall_ms()},
          0);
      if (!marked) return marked.error();
      partition->release_transaction(marked->ended_first_offset);
    }
  }
  return {};
}

// Epochs rise with every transaction, and the catalog learns of them with a checkpoint only: the newest is
// where it was used. One more, because what is open is aborted with the next one.
Result<> TransactionRecovery::restore_epochs() {
  auto known = engine_.catalog->transactional_ids();
  if (!known) return known.error();
  std::map<ProducerId, ProducerEpoch> newest;
  const auto note = [&](ProducerId id, int epoch) {
    constexpr int epoch_max = std::numeric_limits<ProducerEpoch>::max();
    auto& newer = newest.try_emplace(id, ProducerEpoch{-1}).first->second;
    newer = std::max(newer, static_cast<ProducerEpoch>(std::min(epoch, epoch_max)));
  };
  for (const auto& decision : replay_.decisions()) {
    note(decision.producer_id, decision.next_epoch);
    auto& record = (*known)[decision.transactional_id];
    // An id that ran out of epochs has got another since.
    if (decision.producer_id > record.producer_id) {
      record = {.producer_id = decision.producer_id,
                .timeout_ms = record.timeout_ms,
                .last_used_ms = engine_.clock.wall_ms()};
    }
  }
  for (const auto& partition : engine_.topics.open_partitions()) {
    for (const auto& [id, producer] : partition->producers()) note(id, producer.epoch + 1);
  }
  // The checkpoint that ends this recovery takes the decisions away, and of some no log tells.
  catalog::Checkpoint restored;
  for (auto& [id, record] : *known) {
    const auto found = newest.find(record.producer_id);
    if (found != newest.end() && found->second > record.producer_epoch) {
      record.producer_epoch = found->second;
      catalog::put_transactional_id(restored.writes, id, record);
    }
    engine_.coordinator->restore(id, record);
  }
  for (const Error& refused : restored.writes.left_out()) engine_.report(LogLevel::error, refused.message());
  if (restored.writes.empty()) return {};
  return engine_.catalog->checkpoint(restored);
}

}  // namespace seriatim::directory
