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

// Facts are kept as the frames that tell them.
Result<void> JournalReplay::committed_offsets(const journal::FramePlace&,
                                              const format::JournalCommittedOffsets&) {
  return {};
}

Result<void> JournalReplay::forgotten_group(const journal::FramePlace&,
                                            const format::JournalForgottenGroup&) {
  return {};
}

// Of segments, not facts: the partitions have them.
Result<void> JournalReplay::frame(const journal::FramePlace& place, const format::JournalFrame& frame) {
  const auto type = frame.fields.type;
  const bool is_of_a_segment =
      type == format::JournalFrameType::batch || type == format::JournalFrameType::synced_range;
  if (!is_of_a_segment) frames_.push_back({place.lsn, type, {frame.payload.begin(), frame.payload.end()}});
  return {};
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
  return {};
}

std::optional<std::string> JournalReplay::topic_name(const catalog::Id& topic_id,
                                                     PartitionId partition) const {
  const Topic* const topic = find(topic_id, partition);
  return topic == nullptr ? std::optional<std::string>() : topic->name;
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
  for (const auto& frame : frames_) {
    if (is_behind(frame)) taken.insert(frame.lsn);
  }
  std::erase_if(frames_, is_behind);
  return taken.size();
}

Result<> JournalReplay::restore(const std::vector<state::DurableFacts*>& facts) {
  for (const auto& frame : frames_) {
    for (auto* kind : facts) {
      if (auto entered = kind->replay({frame.lsn, frame.type, frame.payload}); !entered)
        return entered.error().with_context("journal frame " + std::to_string(frame.lsn));
    }
  }
  frames_.clear();
  return {};
}

}  // namespace seriatim::directory
