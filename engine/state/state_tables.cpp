#include "state/state_tables.hpp"

#include <algorithm>
#include <utility>

#include "catalog/stored_state.hpp"
#include "format/journal/journal_decision.hpp"

namespace seriatim::state {
namespace {

/// A page of what is newer than the catalog's, over a page of the catalog's, both from one key on.
class StatePages {
 public:
  using Stored = std::vector<std::pair<std::vector<std::byte>, std::vector<std::byte>>>;

  /// @param stored_wanted  with fewer `stored` ones there are no more.
  StatePages(StateStore::Page newer, Stored stored, std::size_t stored_wanted)
      : newer_(std::move(newer)),
        stored_(std::move(stored)),
        is_stored_last_(stored_.size() < stored_wanted) {}

  /// Whether the next key is in these pages.
  bool has_next() const noexcept {
    const bool is_newer_known = has_newer() || newer_.is_last;
    const bool is_stored_known = has_stored() || is_stored_last_;
    return is_newer_known && is_stored_known && (has_newer() || has_stored());
  }
  /// Nothing: the next key was erased.
  std::optional<StateEntry> take() {
    const bool is_newer_first =
        has_newer() && (!has_stored() || newer_key() <= base::as_text(stored_[stored_at_].first));
    if (!is_newer_first) {
      auto& [key, value] = stored_[stored_at_++];
      last_key_ = key;
      return StateEntry{std::move(key), std::move(value)};
    }
    if (has_stored() && newer_key() == base::as_text(stored_[stored_at_].first)) ++stored_at_;
    auto& [text, value] = newer_.entries[newer_at_++];
    const auto key = base::as_bytes(text);
    last_key_.assign(key.begin(), key.end());
    if (!value) return std::nullopt;
    return StateEntry{last_key_, *std::move(value)};
  }
  /// Whether there is nothing behind these pages.
  bool are_last() const noexcept {
    return newer_.is_last && is_stored_last_ && !has_newer() && !has_stored();
  }
  /// The first one behind what was taken.
  std::vector<std::byte> next_key() const {
    auto next = last_key_;
    next.push_back(std::byte{0});
    return next;
  }

 private:
  bool has_newer() const noexcept { return newer_at_ < newer_.entries.size(); }
  bool has_stored() const noexcept { return stored_at_ < stored_.size(); }
  std::string_view newer_key() const { return newer_.entries[newer_at_].first; }

  StateStore::Page newer_;
  Stored stored_;
  bool is_stored_last_;
  std::size_t newer_at_ = 0;
  std::size_t stored_at_ = 0;
  std::vector<std::byte> last_key_{};
};

}  // namespace

Result<std::optional<std::vector<std::byte>>> StateTables::value(std::string_view name,
                                                                 base::ByteSpan key) const {
  // The newer ones first: a checkpoint in between moves some to where is looked next.
  if (auto newer = newer_.find(name, key)) return *std::move(newer);
  return catalog::state_value(*catalog_, name, key);
}

Result<std::vector<StateEntry>> StateTables::scan(std::string_view name, base::ByteSpan from_key,
                                                  std::size_t limit) const {
  std::vector<StateEntry> entries;
  std::vector<std::byte> from(from_key.begin(), from_key.end());
  while (entries.size() < limit) {
    const std::size_t wanted = limit - entries.size();
    // As value().
    auto newer = newer_.page(name, from, wanted);
    const std::size_t stored_wanted = newer.is_last ? wanted : newer.entries.size();
    auto stored = catalog::scan_state(*catalog_, name, from, stored_wanted);
    if (!stored) return stored.error();
    StatePages pages{std::move(newer), *std::move(stored), stored_wanted};
    while (entries.size() < limit && pages.has_next()) {
      if (auto entry = pages.take()) entries.push_back(*std::move(entry));
    }
    if (pages.are_last()) break;
    from = pages.next_key();
  }
  return entries;
}

Result<std::vector<std::string>> StateTables::names() const {
  auto newer = newer_.names();
  auto names = catalog::state_names(*catalog_);
  if (!names) return names.error();
  names->insert(names->end(), newer.begin(), newer.end());
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  // The last key of one may have been erased since the last checkpoint.
  std::vector<std::string> with_keys;
  for (auto& name : *names) {
    auto first = scan(name, {}, 1);
    if (!first) return first.error();
    if (!first->empty()) with_keys.push_back(std::move(name));
  }
  return with_keys;
}

Result<> StateTables::replay(const ReplayedFrame& frame) {
  const bool is_decision = frame.type == format::JournalFrameType::decision ||
                           frame.type == format::JournalFrameType::decision_at_leader;
  if (!is_decision) return {};
  const auto decision = format::parse_journal_decision(frame.payload);
  if (!decision) return decision.error();
  std::vector<catalog::StateChange> changes;
  changes.reserve(decision->state.size());
  for (const auto& change : decision->state) {
    catalog::StateChange one{.name = std::string(change.name), .key = {change.key.begin(), change.key.end()}};
    if (change.value) one.value.emplace(change.value->begin(), change.value->end());
    changes.push_back(std::move(one));
  }
  if (!changes.empty()) newer_.enter(std::move(changes), frame.lsn);
  return {};
}

}  // namespace seriatim::state
