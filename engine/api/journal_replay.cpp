#include "api/journal_replay.hpp"

#include <utility>

namespace seriatim::api {

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
  Commit kept{.group = std::string(commit.group), .lsn = place.lsn};
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
  return {};
}

std::vector<partition::JournalledBatch> JournalReplay::take_batches(const catalog::Id& topic_id,
                                                                    PartitionId partition) {
  const auto found = batches_.find({topic_id, partition});
  return found == batches_.end() ? std::vector<partition::JournalledBatch>() : std::move(found->second);
}

void JournalReplay::restore_offsets(OffsetStore& store) {
  for (auto& commit : commits_) store.restore(commit.group, std::move(commit.positions), commit.lsn);
  commits_.clear();
}

}  // namespace seriatim::api
