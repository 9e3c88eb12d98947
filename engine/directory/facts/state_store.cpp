#include "directory/facts/state_store.hpp"

#include <algorithm>

namespace seriatim::directory {

// All memory first: what a decision says is entered whole or, where this throws, not at all, and `changes` is
// as it was.
void StateStore::enter(std::vector<catalog::StateChange>&& changes, std::uint64_t lsn) {
  std::map<Key, Entry> fresh;
  std::vector<Entry*> entered;
  entered.reserve(changes.size());
  for (const auto& change : changes) {
    entered.push_back(&fresh[{change.name, std::string(base::as_text(change.key))}]);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) *entered[i] = {std::move(changes[i].value), lsn};
  const base::MutexLock lock(mutex_);
  entries_.merge(fresh);
  for (auto& [key, entry] : fresh) {
    auto& known = entries_.find(key)->second;
    if (known.lsn <= lsn) known = std::move(entry);
  }
  ++version_;
}

std::optional<StateStore::Value> StateStore::find(std::string_view name, base::ByteSpan key) const {
  const base::MutexLock lock(mutex_);
  const auto found = entries_.find({std::string(name), std::string(base::as_text(key))});
  if (found == entries_.end()) return std::nullopt;
  return found->second.value;
}

std::map<std::string, StateStore::Value> StateStore::from(std::string_view name,
                                                          base::ByteSpan from_key) const {
  std::map<std::string, Value> newer;
  const base::MutexLock lock(mutex_);
  const auto first = entries_.lower_bound({std::string(name), std::string(base::as_text(from_key))});
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
    const auto stored_key = base::as_bytes(key.second);
    changes.push_back(
        {.name = key.first, .key = {stored_key.begin(), stored_key.end()}, .value = entry.value});
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

}  // namespace seriatim::directory
