#include "directory/facts/offset_store.hpp"

#include <algorithm>
#include <utility>

namespace seriatim::directory {
namespace {

bool is_current(const TopicMap& topics, const std::string& name, const catalog::Id& id) {
  const auto found = topics.find(name);
  return found != topics.end() && found->second->id == id;
}

}  // namespace

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

// Staged with the mutex held: what is remembered last is what the journal tells last.
Result<std::uint64_t> OffsetStore::commit(journal::Journal& journal, std::string_view group,
                                          const std::vector<PositionCommit>& commits) {
  const auto payload = format::encode_journal_offsets(journal_offsets(group, commits));
  auto frame = journal::StagedFrame::encoded(format::JournalFrameType::committed_offsets, payload);
  // All memory first: what is staged is remembered.
  auto fresh = entries_of(group, commits);
  const base::MutexLock lock(mutex_);
  auto lsn = journal.stage(std::move(frame));
  if (!lsn) return lsn;
  take(fresh, *lsn);
  return lsn;
}

void OffsetStore::enter(std::string_view group, const std::vector<PositionCommit>& commits,
                        std::uint64_t lsn) {
  auto fresh = entries_of(group, commits);
  const base::MutexLock lock(mutex_);
  const auto forgotten = forgotten_.find(group);
  if (forgotten != forgotten_.end() && lsn < forgotten->second) return;
  take(fresh, lsn);
}

OffsetStore::Entries OffsetStore::entries_of(std::string_view group,
                                             const std::vector<PositionCommit>& commits) {
  Entries fresh;
  for (const auto& commit : commits) {
    fresh[{std::string(group), commit.at, commit.topic_id}] = {commit.committed, 0};
  }
  return fresh;
}

// Needs no memory: it cannot fail.
void OffsetStore::take(Entries& fresh, std::uint64_t lsn) noexcept {
  for (auto& [key, entry] : fresh) entry.lsn = lsn;
  entries_.merge(fresh);
  for (auto& [key, entry] : fresh) {
    auto& known = entries_.find(key)->second;
    if (known.lsn <= lsn) known = std::move(entry);
  }
  newest_lsn_ = std::max(newest_lsn_, lsn);
  ++version_;
}

// As commit().
Result<std::uint64_t> OffsetStore::forget_group(journal::Journal& journal, std::string_view group) {
  auto frame =
      journal::StagedFrame::encoded(format::JournalFrameType::forgotten_group, base::as_bytes(group));
  Forgotten fresh{{std::string(group), 0}};
  const base::MutexLock lock(mutex_);
  auto lsn = journal.stage(std::move(frame));
  if (lsn) forget_locked(fresh, *lsn);
  return lsn;
}

void OffsetStore::enter_forgotten(std::string_view group, std::uint64_t lsn) {
  Forgotten fresh{{std::string(group), 0}};
  const base::MutexLock lock(mutex_);
  forget_locked(fresh, lsn);
}

// Needs no memory: it cannot fail.
void OffsetStore::forget_locked(Forgotten& fresh, std::uint64_t lsn) noexcept {
  auto found = forgotten_.find(fresh.begin()->first);
  if (found == forgotten_.end()) found = forgotten_.insert(fresh.extract(fresh.begin())).position;
  found->second = std::max(found->second, lsn);
  std::erase_if(entries_,
                [&](const auto& item) { return item.first.group == found->first && item.second.lsn < lsn; });
  newest_lsn_ = std::max(newest_lsn_, lsn);
  ++version_;
}

bool OffsetStore::is_forgotten(std::string_view group) const {
  const base::MutexLock lock(mutex_);
  return forgotten_.contains(group);
}

std::vector<std::string> OffsetStore::forgotten() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::string> groups;
  groups.reserve(forgotten_.size());
  for (const auto& [group, lsn] : forgotten_) groups.push_back(group);
  return groups;
}

std::optional<catalog::CommittedOffset> OffsetStore::find(std::string_view group, const TopicPartition& at,
                                                          const catalog::Id& topic_id) const {
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find({std::string(group), at, topic_id});
  if (found == entries_.end()) return std::nullopt;
  return found->second.committed;
}

std::map<TopicPartition, catalog::CommittedOffset> OffsetStore::group(std::string_view group,
                                                                      const TopicMap& topics) const {
  std::map<TopicPartition, catalog::CommittedOffset> offsets;
  const base::MutexLock lock(mutex_);
  for (auto it = entries_.lower_bound({std::string(group), {}, {}});
       it != entries_.end() && it->first.group == group; ++it) {
    if (is_current(topics, it->first.at.topic, it->first.topic_id))
      offsets.emplace(it->first.at, it->second.committed);
  }
  return offsets;
}

std::vector<std::string> OffsetStore::groups() const {
  std::vector<std::string> names;
  const base::MutexLock lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    if (names.empty() || names.back() != key.group) names.push_back(key.group);
  }
  return names;
}

std::map<std::string, std::vector<catalog::OffsetCommit>> OffsetStore::pending(const TopicMap& topics) const {
  const base::MutexLock lock(mutex_);
  std::map<std::string, std::vector<catalog::OffsetCommit>> pending;
  for (const auto& [key, entry] : entries_) {
    if (is_current(topics, key.at.topic, key.topic_id))
      pending[key.group].push_back({key.at, entry.committed});
  }
  return pending;
}

void OffsetStore::stored(std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  std::erase_if(entries_, [lsn](const auto& item) { return item.second.lsn <= lsn; });
  std::erase_if(forgotten_, [lsn](const auto& item) { return item.second <= lsn; });
}

void OffsetStore::forget_topic(const catalog::Id& topic_id) {
  const base::MutexLock lock(mutex_);
  std::erase_if(entries_, [&](const auto& item) { return item.first.topic_id == topic_id; });
}

std::uint64_t OffsetStore::newest_lsn() const {
  const base::MutexLock lock(mutex_);
  return newest_lsn_;
}

std::uint64_t OffsetStore::version() const {
  const base::MutexLock lock(mutex_);
  return version_;
}

bool OffsetStore::empty() const {
  const base::MutexLock lock(mutex_);
  return entries_.empty() && forgotten_.empty();
}

}  // namespace seriatim::directory
