#include "group/offset_store.hpp"

#include <algorithm>
#include <utility>

namespace seriatim::group {

PositionCommit forgotten_at(const TopicPartition& at, const catalog::Id& topic_id, std::int64_t now_ms) {
  return {.at = at,
          .topic_id = topic_id,
          .committed = {.offset = forgotten_position, .metadata = {}, .commit_time_ms = now_ms}};
}

format::JournalCommittedOffsets journal_offsets(std::string_view group,
                                                const std::vector<PositionCommit>& commits) {
  format::JournalCommittedOffsets told{.group = group};
  told.offsets.reserve(commits.size());
  for (const auto& commit : commits) {
    told.commit_time_ms = commit.committed.commit_time_ms;
    told.offsets.push_back({.topic_id = commit.topic_id,
                            .partition = commit.at.partition,
                            .offset = commit.committed.offset,
                            .metadata = commit.committed.metadata});
  }
  return told;
}

// Staged with the lock held: a checkpoint that has seen the frame staged gathers what it tells.
Result<std::uint64_t> OffsetStore::commit(journal::Journal& journal, std::string_view group,
                                          const std::vector<PositionCommit>& commits) {
  const auto payload = format::encode_journal_offsets(journal_offsets(group, commits));
  auto frame = journal::StagedFrame::encoded(format::JournalFrameType::committed_offsets, payload);
  // All memory first: what is staged is remembered.
  auto fresh = entries_of(group, commits);
  return positions_.enter_staged(fresh, [&] { return journal.stage(std::move(frame)); });
}

void OffsetStore::enter(std::string_view group, const std::vector<PositionCommit>& commits,
                        std::uint64_t lsn) {
  auto fresh = entries_of(group, commits);
  positions_.enter(fresh, lsn);
}

OffsetStore::Positions::Entries OffsetStore::entries_of(std::string_view group,
                                                        const std::vector<PositionCommit>& commits) {
  Positions::Entries fresh;
  for (const auto& commit : commits) {
    fresh[{std::string(group), commit.at, commit.topic_id}].value = commit.committed;
  }
  return fresh;
}

// As commit(), and in the form of one, as CommittedOffsets::forget_positions.
Result<std::optional<std::uint64_t>> OffsetStore::forget_unchanged(journal::Journal& journal,
                                                                   std::string_view group,
                                                                   const SeenPositions& seen,
                                                                   std::uint64_t removals,
                                                                   std::int64_t now_ms) {
  std::vector<PositionCommit> forgotten;
  forgotten.reserve(seen.size());
  for (const auto& [at, position] : seen) forgotten.push_back(forgotten_at(at, position.topic_id, now_ms));
  const auto payload = format::encode_journal_offsets(journal_offsets(group, forgotten));
  auto frame = journal::StagedFrame::encoded(format::JournalFrameType::committed_offsets, payload);
  auto fresh = entries_of(group, forgotten);
  for (auto& [key, entry] : fresh) entry.lsn = seen.at(key.at).lsn;
  return positions_.enter_unchanged(fresh, removals, [&] { return journal.stage(std::move(frame)); });
}

// As commit().
Result<std::uint64_t> OffsetStore::forget_group(journal::Journal& journal, std::string_view group) {
  auto frame =
      journal::StagedFrame::encoded(format::JournalFrameType::forgotten_group, base::as_bytes(group));
  Forgotten::Entries fresh;
  fresh[std::string(group)];
  return forgotten_.enter_staged(fresh, [&] { return journal.stage(std::move(frame)); });
}

void OffsetStore::enter_forgotten(std::string_view group, std::uint64_t lsn) {
  Forgotten::Entries fresh;
  fresh[std::string(group)];
  forgotten_.enter(fresh, lsn);
}

std::uint64_t OffsetStore::forgotten_lsn(std::string_view group) const {
  const auto found = forgotten_.find(std::string(group));
  return found ? found->lsn : 0;
}

bool OffsetStore::is_forgotten(std::string_view group) const { return forgotten_lsn(group) != 0; }

std::vector<std::string> OffsetStore::forgotten() const {
  std::vector<std::string> groups;
  for (std::string from;; from = groups.back() + '\0') {
    auto page = forgotten_.page(from, Forgotten::page_entries_max);
    const bool is_last = page.size() < Forgotten::page_entries_max;
    for (auto& [group, entry] : page) groups.push_back(std::move(group));
    if (is_last) return groups;
  }
}

std::optional<catalog::CommittedOffset> OffsetStore::find(std::string_view group, const TopicPartition& at,
                                                          const catalog::Id& topic_id) const {
  const std::uint64_t since = forgotten_lsn(group);
  auto found = positions_.find({std::string(group), at, topic_id});
  if (!found || found->lsn < since) return std::nullopt;
  return std::move(found->value);
}

template <class Visit>
void OffsetStore::for_each_of(std::string_view group, const Visit& visit) const {
  const std::uint64_t since = forgotten_lsn(group);
  Key from{std::string(group), {}, {}};
  for (bool is_first = true;; is_first = false) {
    const auto page = positions_.page(from, Positions::page_entries_max);
    for (const auto& [key, entry] : page) {
      if (key.group != group) return;
      // A page begins with the last of the one before.
      if (!is_first && key == from) continue;
      if (entry.lsn >= since && !visit(key, entry)) return;
    }
    if (page.size() < Positions::page_entries_max) return;
    from = page.back().first;
  }
}

SeenPositions OffsetStore::group(std::string_view group, const IsCurrentTopic& is_current) const {
  SeenPositions seen;
  for_each_of(group, [&](const Key& key, const Positions::Entry& entry) {
    if (is_current(key.at.topic, key.topic_id))
      seen.emplace(key.at, SeenPosition{entry.value, key.topic_id, entry.lsn});
    return true;
  });
  return seen;
}

std::vector<std::string> OffsetStore::groups() const { return groups_with(false); }

std::vector<std::string> OffsetStore::thinned_groups() const { return groups_with(true); }

std::vector<std::string> OffsetStore::groups_with(bool is_forgotten_one) const {
  std::vector<std::string> names;
  for (std::string from;; from.push_back('\0')) {
    const auto first = positions_.page({from, {}, {}}, 1);
    if (first.empty()) return names;
    from = first[0].first.group;
    for_each_of(from, [&](const Key&, const Positions::Entry& entry) {
      if (group::is_forgotten(entry.value) != is_forgotten_one) return true;
      names.push_back(from);
      return false;
    });
  }
}

// The forgotten groups last: of a group that began again since, the catalog may have positions by an earlier
// gathering. The frame that forgot it was entered before these: an earlier gathering has told it, too,
// and no later one will.
void OffsetStore::gather(const IsCurrentTopic& is_current, catalog::TableWrites& to) {
  const auto& positions = positions_.gather();
  for (const auto& [group, entry] : forgotten_.gather()) catalog::forget_group(to, group);
  const std::string* group = nullptr;
  std::uint64_t since = 0;
  for (const auto& [key, entry] : positions) {
    if (group == nullptr || *group != key.group) since = forgotten_lsn(key.group);
    group = &key.group;
    if (entry.lsn < since || !is_current(key.at.topic, key.topic_id)) continue;
    if (group::is_forgotten(entry.value)) {
      catalog::forget_committed_offset(to, key.group, key.at, key.topic_id);
    } else {
      catalog::put_committed_offset(to, key.group, key.at, key.topic_id, entry.value);
    }
  }
}

void OffsetStore::stored(std::uint64_t covered_lsn) noexcept {
  positions_.stored(covered_lsn);
  forgotten_.stored(covered_lsn);
}

void OffsetStore::forget(std::uint64_t lsn) noexcept {
  positions_.forget(lsn);
  forgotten_.forget(lsn);
}

void OffsetStore::forget_topic(const catalog::Id& topic_id) {
  positions_.forget_if([&](const Key& key) { return key.topic_id == topic_id; });
}

std::uint64_t OffsetStore::newest_lsn() const {
  return std::max(positions_.newest_lsn(), forgotten_.newest_lsn());
}

}  // namespace seriatim::group
