#include "state/state_store.hpp"

#include <algorithm>

namespace seriatim::state {
namespace {

StateStore::Value value_of(const std::shared_ptr<const StateStore::Bytes>& stored) {
  return stored ? StateStore::Value(*stored) : std::nullopt;
}

}  // namespace

// All memory first: what a decision says is entered whole or, where this throws, not at all, and `changes` is
// as it was.
void StateStore::enter(std::vector<catalog::StateChange>&& changes, std::uint64_t lsn) {
  Table::Entries fresh;
  std::vector<std::pair<Table::Entry*, std::shared_ptr<Bytes>>> entered;
  entered.reserve(changes.size());
  for (const auto& change : changes) {
    auto& entry = fresh[{change.name, std::string(base::as_text(change.key))}];
    entered.emplace_back(&entry, change.value ? std::make_shared<Bytes>() : nullptr);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto& [entry, value] = entered[i];
    if (value) *value = *std::move(changes[i].value);
    entry->value = std::move(value);
  }
  table_.enter(fresh, lsn);
}

std::optional<StateStore::Value> StateStore::find(std::string_view name, base::ByteSpan key) const {
  const auto found = table_.find({std::string(name), std::string(base::as_text(key))});
  if (!found) return std::nullopt;
  return value_of(found->value);
}

StateStore::Page StateStore::page(std::string_view name, base::ByteSpan from_key, std::size_t limit) const {
  auto found = table_.page({std::string(name), std::string(base::as_text(from_key))}, limit);
  Page page{.is_last = found.size() < std::min(limit, Table::page_entries_max)};
  for (auto& [key, entry] : found) {
    if (key.first != name) {
      page.is_last = true;
      break;
    }
    page.entries.emplace_back(std::move(key.second), value_of(entry.value));
  }
  return page;
}

std::vector<std::string> StateStore::names() const {
  std::vector<std::string> names;
  // One look for each: behind all keys of the one before.
  for (std::string from;; from = names.back() + '\0') {
    auto first = table_.page({from, {}}, 1);
    if (first.empty()) return names;
    names.push_back(std::move(first[0].first.first));
  }
}

void StateStore::gather(catalog::TableWrites& to) {
  for (const auto& [key, entry] : table_.gather())
    catalog::put_state_change(to, key.first, base::as_bytes(key.second), entry.value.get());
}

}  // namespace seriatim::state
