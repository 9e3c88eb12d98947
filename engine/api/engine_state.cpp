// The state tables: what transactions have changed since the last checkpoint, over what the catalog has.
#include <seriatim/state.hpp>

#include <algorithm>
#include <utility>

#include <seriatim/exception.hpp>

#include "base/bytes.hpp"
#include "base/moved_from.hpp"
#include "directory/engine_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

/// A page of what is newer than the catalog's, over a page of the catalog's, both from one key on.
class StatePages {
 public:
  using Stored = std::vector<std::pair<std::vector<std::byte>, std::vector<std::byte>>>;

  /// @param stored_wanted  with fewer `stored` ones there are no more.
  StatePages(directory::StateStore::Page newer, Stored stored, std::size_t stored_wanted)
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

  directory::StateStore::Page newer_;
  Stored stored_;
  bool is_stored_last_;
  std::size_t newer_at_ = 0;
  std::size_t stored_at_ = 0;
  std::vector<std::byte> last_key_{};
};

}  // namespace

Result<std::optional<std::vector<std::byte>>> EngineImpl::state_value(std::string_view name,
                                                                      base::ByteSpan key) {
  if (auto usable = check_usable(); !usable) return usable.error();
  // The newer ones first: a checkpoint in between moves some to where is looked next.
  if (auto newer = state_store.find(name, key)) return *std::move(newer);
  return catalog->state_value(name, key);
}

Result<std::vector<StateEntry>> EngineImpl::scan_state(std::string_view name, base::ByteSpan from_key,
                                                       std::size_t limit) {
  if (auto usable = check_usable(); !usable) return usable.error();
  std::vector<StateEntry> entries;
  std::vector<std::byte> from(from_key.begin(), from_key.end());
  while (entries.size() < limit) {
    const std::size_t wanted = limit - entries.size();
    // The newer ones first: a checkpoint in between moves some to where is looked next.
    auto newer = state_store.page(name, from, wanted);
    const std::size_t stored_wanted = newer.is_last ? wanted : newer.entries.size();
    auto stored = catalog->scan_state(name, from, stored_wanted);
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

}  // namespace detail

Result<std::optional<std::vector<std::byte>>> State::get(BytesView key) const try {
  if (!engine_) return base::moved_from("State");
  return engine_->state_value(name_, key.bytes());
} catch (...) {
  return current_error();
}

Result<std::vector<StateEntry>> State::scan(BytesView from_key, std::size_t limit) const try {
  if (!engine_) return base::moved_from("State");
  return engine_->scan_state(name_, from_key.bytes(), limit);
} catch (...) {
  return current_error();
}

Result<State> Engine::state(std::string_view name) const try {
  if (!impl_) return base::moved_from("Engine");
  if (auto usable = impl_->check_usable(); !usable) return usable.error();
  // Any key will do: the name is what is checked.
  if (auto checked = catalog::check_state_change({.name = std::string(name), .key = {std::byte{0}}});
      !checked)
    return checked.error();
  return State(impl_, std::string(name));
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
