#include "group/committed_offsets.hpp"

#include <set>
#include <utility>

#include "format/journal/journal_decision.hpp"

namespace seriatim::group {

Result<PositionCommit> CommittedOffsets::check_position(const PartitionEnd& end, const TopicPartition& at,
                                                        const OffsetAndMetadata& position) const {
  // INV-2: a stored offset beyond the end would later skip the records that get those numbers.
  if (position.offset < 0 || position.offset > end.log_end) {
    return Error(Errc::invalid_argument,
                 "offset " + std::to_string(position.offset) + " of " + at.topic + "-" +
                     std::to_string(at.partition) + " cannot be committed: the log ends at " +
                     std::to_string(end.log_end) +
                     "; commit the offset of the next record to read, 0 to the log end");
  }
  PositionCommit commit{.at = at,
                        .topic_id = end.topic_id,
                        .committed = {.offset = position.offset,
                                      .metadata = position.metadata,
                                      .commit_time_ms = environment_.clock.wall_ms()}};
  if (auto checked = catalog::check_offset_commit(at, commit.committed); !checked) return checked.error();
  return commit;
}

Result<> CommittedOffsets::commit(std::string_view group, const TopicPartitionOffsets& offsets, Acks acks) {
  auto lsn = stage(group, offsets);
  return lsn ? environment_.acknowledge(*lsn, acks) : Result<>(lsn.error());
}

Result<std::uint64_t> CommittedOffsets::stage(std::string_view group, const TopicPartitionOffsets& offsets) {
  if (auto named = catalog::check_group_name(group); !named) return named.error();
  if (auto admitted = environment_.admit(); !admitted) return admitted.error();
  std::vector<PositionCommit> positions;
  positions.reserve(offsets.size());
  for (const auto& [at, position] : offsets) {
    auto end = environment_.partition_end(at);
    if (!end) return end.error();
    auto checked = check_position(*end, at, position);
    if (!checked) return checked.error();
    positions.push_back(*std::move(checked));
  }
  return newer_.commit(*environment_.journal, group, positions);
}

Result<std::optional<catalog::CommittedOffset>> CommittedOffsets::find(std::string_view group,
                                                                       const TopicPartition& at) const {
  auto topic_id = environment_.topic_id(at.topic);
  if (!topic_id) return topic_id.error();
  if (auto newer = newer_.find(group, at, *topic_id)) {
    if (is_forgotten(*newer)) newer.reset();
    return newer;
  }
  if (newer_.is_forgotten(group)) return std::optional<catalog::CommittedOffset>();
  return environment_.catalog->committed(group, at);
}

Result<std::optional<Offset>> CommittedOffsets::needed_from(std::string_view group,
                                                            const TopicPartition& at) const {
  auto found = find(group, at);
  if (!found) return found.error();
  return *found ? std::optional<Offset>((*found)->offset) : std::nullopt;
}

Result<std::map<TopicPartition, catalog::CommittedOffset>> CommittedOffsets::of_group(
    std::string_view group) const {
  auto seen = look_at(group);
  if (!seen) return seen.error();
  std::map<TopicPartition, catalog::CommittedOffset> offsets;
  for (auto& [at, position] : *seen) offsets.emplace_hint(offsets.end(), at, std::move(position.committed));
  return offsets;
}

Result<SeenPositions> CommittedOffsets::look_at(std::string_view group) const {
  // The newer ones first: a checkpoint in between moves some to where is looked next.
  const bool is_group_forgotten = newer_.is_forgotten(group);
  auto merged = newer_.group(group, environment_.current_topics());
  if (!is_group_forgotten) {
    auto stored = environment_.catalog->group_offsets(group);
    if (!stored) return stored.error();
    for (auto& [at, committed] : *stored)
      merged.try_emplace(at, SeenPosition{.committed = std::move(committed)});
  }
  std::erase_if(merged, [](const auto& position) { return is_forgotten(position.second.committed); });
  return merged;
}

Result<std::vector<std::string>> CommittedOffsets::groups() const {
  const auto forgotten = newer_.forgotten();
  const auto thinned = newer_.thinned_groups();
  auto newer = newer_.groups();
  auto stored = environment_.catalog->groups();
  if (!stored) return stored.error();
  std::set<std::string> names(stored->begin(), stored->end());
  for (const std::string& group : forgotten) names.erase(group);
  for (const std::string& group : thinned) {
    auto left = of_group(group);
    if (!left) return left.error();
    if (left->empty()) names.erase(group);
  }
  names.insert(newer.begin(), newer.end());
  return std::vector<std::string>(names.begin(), names.end());
}

// A frame like any other: frames before it are replayed before it, whatever a checkpoint covers of them.
Result<> CommittedOffsets::delete_group(std::string_view group) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  auto lsn = newer_.forget_group(*environment_.journal, group);
  return lsn ? environment_.acknowledge(*lsn, Acks::all) : Result<>(lsn.error());
}

// A commit, of no position: a frame of a transaction that was decided before stays behind it.
Result<> CommittedOffsets::forget_positions(std::string_view group, std::span<const TopicPartition> places) {
  if (auto named = catalog::check_group_name(group); !named) return named;
  std::vector<PositionCommit> forgotten;
  forgotten.reserve(places.size());
  for (const TopicPartition& at : places) {
    auto topic_id = environment_.topic_id(at.topic);
    if (!topic_id) return topic_id.error();
    forgotten.push_back(forgotten_at(at, *topic_id, environment_.clock.wall_ms()));
  }
  if (forgotten.empty()) return {};
  auto lsn = newer_.commit(*environment_.journal, group, forgotten);
  return lsn ? environment_.acknowledge(*lsn, Acks::all) : Result<>(lsn.error());
}

Result<std::size_t> CommittedOffsets::expire(std::string_view group, const IsExpired& is_expired) {
  const std::uint64_t removals = newer_.removals();
  auto seen = look_at(group);
  if (!seen) return seen.error();
  SeenPositions expired;
  for (auto& [at, position] : *seen) {
    if (expired.size() == expired_at_once) break;
    if (!is_expired(at, position.committed)) continue;
    const auto topic_id = environment_.topic_id(at.topic);
    if (!topic_id) continue;  // Deleted, and its positions with it.
    position.topic_id = *topic_id;
    expired.emplace(at, std::move(position));
  }
  if (expired.empty()) return std::size_t{0};
  std::uint64_t lsn = 0;  // Of the frame that forgets them, if there is one.
  Result<> staged;
  undecided_.unless_sending(group, [&] {
    auto forgotten = newer_.forget_unchanged(*environment_.journal, group, expired, removals,
                                             environment_.clock.wall_ms());
    if (!forgotten) {
      staged = forgotten.error();
    } else {
      lsn = forgotten->value_or(0);
    }
  });
  if (!staged) return staged.error();
  if (lsn == 0) return std::size_t{0};
  if (auto safe = environment_.acknowledge(lsn, Acks::all); !safe) return safe.error();
  return expired.size();
}

Result<> CommittedOffsets::replay(const state::ReplayedFrame& frame) {
  switch (frame.type) {
    case format::JournalFrameType::committed_offsets: {
      const auto commit = format::parse_journal_offsets(frame.payload);
      if (!commit) return commit.error();
      replay_offsets(*commit, frame.lsn);
      return {};
    }
    case format::JournalFrameType::decision:
    case format::JournalFrameType::decision_at_leader: {
      const auto decision = format::parse_journal_decision(frame.payload);
      if (!decision) return decision.error();
      for (const auto& commit : decision->offsets) replay_offsets(commit, frame.lsn);
      return {};
    }
    case format::JournalFrameType::forgotten_group: {
      const auto forgotten = format::parse_journal_forgotten_group(frame.payload);
      if (!forgotten) return forgotten.error();
      newer_.enter_forgotten(forgotten->group, frame.lsn);
      return {};
    }
    default:
      return {};
  }
}

// Positions of a topic that was deleted since are of no use.
void CommittedOffsets::replay_offsets(const format::JournalCommittedOffsets& commit, std::uint64_t lsn) {
  std::vector<PositionCommit> positions;
  for (const auto& offset : commit.offsets) {
    auto topic = environment_.topic_name(offset.topic_id, offset.partition);
    if (!topic) continue;
    positions.push_back({.at = {*std::move(topic), offset.partition},
                         .topic_id = offset.topic_id,
                         .committed = {.offset = offset.offset,
                                       .metadata = std::string(offset.metadata),
                                       .commit_time_ms = commit.commit_time_ms}});
  }
  if (!positions.empty()) newer_.enter(commit.group, positions, lsn);
}

}  // namespace seriatim::group
