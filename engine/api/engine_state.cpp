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
  auto newer = state_store.from(name, from_key);
  std::vector<StateEntry> entries;
  std::vector<std::byte> from(from_key.begin(), from_key.end());
  auto next_newer = newer.begin();
  const auto take_newer = [&] {
    const auto key = base::as_bytes(next_newer->first);
    if (next_newer->second) entries.push_back({{key.begin(), key.end()}, *std::move(next_newer->second)});
    ++next_newer;
  };
  while (entries.size() < limit) {
    // Some of a page may have been erased since.
    const std::size_t page_size = limit - entries.size();
    auto page = catalog->scan_state(name, from, page_size);
    if (!page) return page.error();
    for (auto& [key, value] : *page) {
      while (entries.size() < limit && next_newer != newer.end() && next_newer->first < base::as_text(key))
        take_newer();
      if (entries.size() == limit) return entries;
      const bool is_replaced = next_newer != newer.end() && next_newer->first == base::as_text(key);
      if (is_replaced) {
        take_newer();
      } else {
        entries.push_back({key, std::move(value)});
      }
    }
    if (page->size() < page_size) break;
    from = page->back().first;
    from.push_back(std::byte{0});
  }
  while (entries.size() < limit && next_newer != newer.end()) take_newer();
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
