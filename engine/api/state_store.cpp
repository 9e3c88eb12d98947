#include "api/state_store.hpp"

namespace seriatim::api {

void StateStore::enter(std::vector<catalog::StateChange> changes, std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  for (auto& change : changes) {
    auto& entry = entries_[{std::move(change.name), std::move(change.key)}];
    if (entry.lsn <= lsn) entry = {std::move(change.value), lsn};
  }
  ++version_;
}

std::optional<StateStore::Value> StateStore::find(std::string_view name, base::ByteSpan key) const {
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find({std::string(name), Bytes(key.begin(), key.end())});
  if (found == entries_.end()) return std::nullopt;
  return found->second.value;
}

std::map<StateStore::Bytes, StateStore::Value> StateStore::from(std::string_view name,
                                                                base::ByteSpan from_key) const {
  std::map<Bytes, Value> newer;
  const base::MutexLock lock(mutex_);
  const auto first = entries_.lower_bound({std::string(name), Bytes(from_key.begin(), from_key.end())});
  for (auto it = first; it != entries_.end() && it->first.first == name; ++it) {
    newer.emplace_hint(newer.end(), it->first.second, it->second.value);
  }
  return newer;
}

std::vector<catalog::StateChange> StateStore::pending() const {
  std::vector<catalog::StateChange> changes;
  const base::MutexLock lock(mutex_);
  changes.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) {
    changes.push_back({.name = key.first, .key = key.second, .value = entry.value});
  }
  return changes;
}

std::vector<std::string> StateStore::names() const {
  std::vector<std::string> names;
  const base::MutexLock lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    if (names.empty() || names.back() != key.first) names.push_back(key.first);
  }
  return names;
}

void StateStore::stored(std::uint64_t lsn) {
  const base::MutexLock lock(mutex_);
  std::erase_if(entries_, [lsn](const auto& item) { return item.second.lsn <= lsn; });
}

std::uint64_t StateStore::version() const {
  const base::MutexLock lock(mutex_);
  return version_;
}

}  // namespace seriatim::api
