#include "directory/recovery/journal_replay.hpp"

#include <algorithm>
#include <utility>

namespace seriatim::directory {

JournalReplay::JournalReplay(const TopicMap& topics) {
  for (const auto& [name, topic] : topics) topics_.emplace(topic->id, topic);
}

// Frames of a topic that was deleted since are of no use.
const Topic* JournalReplay::find(const catalog::Id& topic_id, PartitionId partition) const {
  const auto found = topics_.find(topic_id);
  const bool is_there = found != topics_.end() && partition < found->second->partition_count();
  return is_there ? found->second.get() : nullptr;
}

Result<void> JournalReplay::batch(const journal::FramePlace&, const format::JournalBatch& batch) {
  const auto& place = batch.place;
  if (find(place.topic_id, place.partition) == nullptr) return {};
  batches_[{place.topic_id, place.partition}].push_back(
      {.place = place, .bytes = {batch.batch.begin(), batch.batch.end()}});
  return {};
}

// The bytes are where they belong; recovery finds them there.
Result<void> JournalReplay::synced_range(const journal::FramePlace&, const format::JournalSyncedRange&) {
  return {};
}

Result<void> JournalReplay::committed_offsets(const journal::FramePlace& place,
                                              const format::JournalCommittedOffsets& commit) {
  keep_offsets(commit, place.lsn);
  return {};
}

void JournalReplay::keep_offsets(const format::JournalCommittedOffsets& commit, std::uint64_t lsn) {
  Commit kept{.group = std::string(commit.group), .lsn = lsn};
  for (const auto& offset : commit.offsets) {
    const Topic* const topic = find(offset.topic_id, offset.partition);
    if (topic == nullptr) continue;
    kept.positions.push_back({.at = {topic->name, offset.partition},
                              .topic_id = offset.topic_id,
                              .committed = {.offset = offset.offset,
                                            .metadata = std::string(offset.metadata),
                                            .commit_time_ms = commit.commit_time_ms}});
  }
  if (!kept.positions.empty()) commits_.push_back(std::move(kept));
}

Result<void> JournalReplay::decision(const journal::FramePlace& place,
                                     const format::JournalDecision& decision) {
  ReplayedDecision kept{.lsn = place.lsn,
                        .is_at_leader = decision.is_at_leader,
                        .transactional_id = std::string(decision.transactional_id),
                        .producer_id = decision.producer_id,
                        .producer_epoch = decision.producer_epoch,
                        .next_epoch = decision.next_epoch};
  for (const auto& at : decision.partitions) {
    if (const Topic* const topic = find(at.topic_id, at.partition))
      kept.partitions.push_back({{topic->name, at.partition}, at.first_offset, at.last_offset});
  }
  decided_.emplace(kept.producer_id, kept.next_epoch);
  decisions_.push_back(std::move(kept));
  for (const auto& offsets : decision.offsets) keep_offsets(offsets, place.lsn);
  if (decision.state.empty()) return {};
  Changes changed{.lsn = place.lsn};
  for (const auto& change : decision.state) {
    catalog::StateChange one{.name = std::string(change.name), .key = {change.key.begin(), change.key.end()}};
    if (change.value) one.value.emplace(change.value->begin(), change.value->end());
    changed.changes.push_back(std::move(one));
  }
  changes_.push_back(std::move(changed));
  return {};
}

Result<void> JournalReplay::forgotten_group(const journal::FramePlace& place,
                                            const format::JournalForgottenGroup& forgotten) {
  commits_.push_back({.group = std::string(forgotten.group), .lsn = place.lsn});
  return {};
}

std::vector<partition::JournalledBatch> JournalReplay::take_batches(const catalog::Id& topic_id,
                                                                    PartitionId partition) {
  const auto found = batches_.find({topic_id, partition});
  return found == batches_.end() ? std::vector<partition::JournalledBatch>() : std::move(found->second);
}

bool JournalReplay::is_decided(ProducerId producer_id, ProducerEpoch marker_epoch) {
  const EndedEpoch ended(producer_id, marker_epoch);
  if (decided_.contains(ended)) return true;
  const bool is_believed = believes_markers_ || expects_every_decision_;
  if (!is_believed || rolled_back_.contains(ended)) return false;
  if (!believes_markers_ && !strange_marker_) strange_marker_ = {producer_id, marker_epoch};
  shown_by_markers_.insert(ended);
  return true;
}

std::size_t JournalReplay::roll_back_from(std::uint64_t lsn) {
  const auto is_behind = [lsn](const auto& entry) { return entry.lsn >= lsn; };
  std::set<std::uint64_t> taken;
  for (auto& decision : decisions_) {
    if (!is_behind(decision)) continue;
    decision.was_rolled_back = true;
    decided_.erase({decision.producer_id, decision.next_epoch});
    rolled_back_.emplace(decision.producer_id, decision.next_epoch);
    taken.insert(decision.lsn);
  }
  for (const auto& commit : commits_) {
    if (is_behind(commit)) taken.insert(commit.lsn);
  }
  std::erase_if(commits_, is_behind);
  std::erase_if(changes_, is_behind);
  return taken.size();
}

void JournalReplay::restore_commits(OffsetStore& store) {
  for (const auto& commit : commits_) {
    if (commit.positions.empty()) {
      store.enter_forgotten(commit.group, commit.lsn);
    } else {
      store.enter(commit.group, commit.positions, commit.lsn);
    }
  }
  commits_.clear();
}

void JournalReplay::restore_state(StateStore& store) {
  for (auto& changed : changes_) store.enter(std::move(changed.changes), changed.lsn);
  changes_.clear();
}

}  // namespace seriatim::directory
