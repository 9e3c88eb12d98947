// Facts between the journal, which makes them durable, and the catalog, which is their home: what is not
// there yet, by key, each with the LSN of the frame that told it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "base/turn_mutex.hpp"

namespace seriatim::catalog {

/// An ordered table in three layers, each of which hides those behind it: changed since the last gathering,
/// gathered and on its way into the catalog, and kept, which the catalog has. An entry is kept until a
/// checkpoint covers its frame: a decision with an earlier LSN may still be entered, and must not take its
/// place.
///
/// Threads: any for entering and looking up. Gathering and all that is declared behind it: one at a time.
/// Cost: nobody holds the lock for more than `piece_entries` entries, but for a page or all that one call
/// enters; and between two pieces those go first who wait.
///
/// @tparam Key    ordered by `<`, which does not throw.
/// @tparam Value  is copied by every look; moving it does not throw.
template <class Key, class Value, class Mutex = base::TurnMutex>
class PendingTable {
 public:
  struct Entry {
    Value value{};
    std::uint64_t lsn = 0;
  };
  using Entries = std::map<Key, Entry>;
  using Page = std::vector<std::pair<Key, Entry>>;

  /// The work that nobody else may come between. Arbitrary: some ten microseconds.
  static constexpr std::size_t piece_entries = 32;
  /// The longest page. Arbitrary: copies of some hundred keys and values.
  static constexpr std::size_t page_entries_max = 128;

  /// Enters what a frame has told. A value of a later frame stays.
  /// @param fresh  made before: from here on no memory is needed. Its nodes are taken; LSNs in it do not
  /// count.
  /// Cost: O(log n) for each.
  void enter(Entries& fresh, std::uint64_t lsn) noexcept {
    const base::MutexLock lock(mutex_);
    take(fresh, lsn);
  }
  /// The same with the LSN that `stage` returns, which is called with the lock held: whoever knows of the
  /// frame and gathers then has what it tells.
  /// Errors: those of `stage`; nothing is entered then.
  template <class Stage>
  Result<std::uint64_t> enter_staged(Entries& fresh, Stage&& stage) {
    const base::MutexLock lock(mutex_);
    Result<std::uint64_t> lsn = stage();
    if (lsn) take(fresh, *lsn);
    return lsn;
  }
  /// enter_staged, unless any of the keys was entered since a look.
  /// @param fresh  each with the LSN of the entry that the look has found; 0: none.
  /// @param removals  as they were before the look.
  /// @return nothing: one was entered, or may have been; nothing was staged.
  template <class Stage>
  Result<std::optional<std::uint64_t>> enter_unchanged(Entries& fresh, std::uint64_t removals,
                                                       Stage&& stage) {
    const base::MutexLock lock(mutex_);
    bool is_unchanged = removals == removals_;
    for (const Item& item : fresh) is_unchanged = is_unchanged && lsn_of(item.first) == item.second.lsn;
    if (!is_unchanged) return std::optional<std::uint64_t>();
    Result<std::uint64_t> lsn = stage();
    if (!lsn) return lsn.error();
    take(fresh, *lsn);
    return std::optional<std::uint64_t>(*lsn);
  }
  /// Rises when entries go. While it stays, an entry that a look did not find was not entered since either.
  std::uint64_t removals() const {
    const base::MutexLock lock(mutex_);
    return removals_;
  }

  /// Cost: O(log n).
  std::optional<Entry> find(const Key& key) const {
    const base::MutexLock lock(mutex_);
    for (const Layer& layer : layers_) {
      const auto found = layer.entries.find(key);
      if (found != layer.entries.end()) return found->second;
    }
    return std::nullopt;
  }
  /// The first entries from `from` on, in order.
  /// @param limit  is lowered to `page_entries_max`. Fewer than that: there are no more.
  /// Cost: O(log n + limit).
  Page page(const Key& from, std::size_t limit) const {
    limit = std::min(limit, page_entries_max);
    Page found;
    found.reserve(limit);
    const base::MutexLock lock(mutex_);
    std::array<typename Entries::const_iterator, layer_count> next{};
    for (std::size_t i = 0; i < layer_count; ++i) next[i] = layers_[i].entries.lower_bound(from);
    while (found.size() < limit) {
      const Item* first = nullptr;
      for (std::size_t i = 0; i < layer_count; ++i) {
        if (next[i] == layers_[i].entries.end()) continue;
        if (first == nullptr || next[i]->first < first->first) first = &*next[i];
      }
      if (first == nullptr) break;
      found.emplace_back(first->first, first->second);
      for (std::size_t i = 0; i < layer_count; ++i) {
        // None is before the first of them: it is the same key, or behind it.
        const bool is_there = next[i] != layers_[i].entries.end();
        if (is_there && !(found.back().first < next[i]->first)) ++next[i];
      }
    }
    return found;
  }

  /// Of the newest frame that anything was entered of; 0: nothing was.
  std::uint64_t newest_lsn() const {
    const base::MutexLock lock(mutex_);
    return newest_lsn_;
  }
  /// Whether a gathering would find anything.
  bool has_changes() const {
    const base::MutexLock lock(mutex_);
    return !layers_[changed].entries.empty() || !layers_[gathered].entries.empty();
  }
  bool empty() const {
    const base::MutexLock lock(mutex_);
    return std::all_of(layers_.begin(), layers_.end(),
                       [](const Layer& layer) { return layer.entries.empty(); });
  }

  /// All that was changed since the last gathering, as it was at one moment. That of a gathering behind which
  /// `stored` was not called counts as changed.
  /// @return what stays as it is until the next call of this half of the class.
  /// Cost: one exchange, whatever was changed; behind a failed gathering O(log n) for each of its entries.
  const Entries& gather() noexcept {
    move_all(gathered, changed);
    const base::MutexLock lock(mutex_);
    std::swap(layers_[gathered], layers_[changed]);
    return layers_[gathered].entries;
  }
  /// The catalog has what was gathered.
  /// @param covered_lsn  it has all that frames up to this one tell, for good: these entries are forgotten.
  /// Cost: O(log n) for each gathered entry, or nothing where all of them are covered.
  void stored(std::uint64_t covered_lsn) noexcept {
    // In this order: what is gathered hides what is kept.
    forget_in(kept, covered_lsn);
    forget_in(gathered, covered_lsn);
    keep_gathered();
  }
  /// Forgets all that frames up to this one tell, whether it was gathered or not.
  void forget(std::uint64_t lsn) noexcept {
    for (const LayerIndex layer : {kept, gathered, changed}) forget_in(layer, lsn);
  }
  /// Forgets the keys of which that is true.
  template <class IsGone>
  void forget_if(const IsGone& is_gone) {
    for (const LayerIndex layer : {kept, gathered, changed})
      sweep(layer, [&](const Item& item) { return is_gone(item.first); });
  }

 private:
  using Item = typename Entries::value_type;
  using Node = typename Entries::node_type;
  struct Layer {
    Entries entries{};
    std::uint64_t newest_lsn = 0;  ///< None of the entries is newer.
  };
  enum LayerIndex : std::size_t { changed, gathered, kept, layer_count };

  /// 0: there is no such entry.
  std::uint64_t lsn_of(const Key& key) const noexcept SERIATIM_REQUIRES(mutex_) {
    for (const Layer& layer : layers_) {
      const auto found = layer.entries.find(key);
      if (found != layer.entries.end()) return found->second.lsn;
    }
    return 0;
  }

  void take(Entries& fresh, std::uint64_t lsn) noexcept SERIATIM_REQUIRES(mutex_) {
    while (!fresh.empty()) {
      Node node = fresh.extract(fresh.begin());
      node.mapped().lsn = lsn;
      if (!is_known_later(node.key(), lsn)) put(layers_[changed], std::move(node));
    }
    newest_lsn_ = std::max(newest_lsn_, lsn);
  }

  bool is_known_later(const Key& key, std::uint64_t lsn) const noexcept SERIATIM_REQUIRES(mutex_) {
    for (const LayerIndex index : {gathered, kept}) {
      const Layer& layer = layers_[index];
      if (layer.newest_lsn <= lsn) continue;
      const auto found = layer.entries.find(key);
      if (found != layer.entries.end() && found->second.lsn > lsn) return true;
    }
    return false;
  }

  static void put(Layer& to, Node&& node) noexcept {
    to.newest_lsn = std::max(to.newest_lsn, node.mapped().lsn);
    auto result = to.entries.insert(std::move(node));
    if (!result.inserted && result.position->second.lsn <= result.node.mapped().lsn)
      std::swap(result.position->second, result.node.mapped());
  }

  // The smaller of the two is moved.
  void keep_gathered() noexcept {
    bool is_kept_smaller = false;
    {
      const base::MutexLock lock(mutex_);
      is_kept_smaller = layers_[kept].entries.size() < layers_[gathered].entries.size();
    }
    if (!is_kept_smaller) return move_all(gathered, kept);
    move_all(kept, gathered);
    const base::MutexLock lock(mutex_);
    std::swap(layers_[kept], layers_[gathered]);
  }

  void move_all(LayerIndex from_index, LayerIndex to_index) noexcept {
    for (bool is_done = false; !is_done; mutex_.let_others_pass()) {
      const base::MutexLock lock(mutex_);
      Layer& from = layers_[from_index];
      for (std::size_t i = 0; i < piece_entries && !from.entries.empty(); ++i)
        put(layers_[to_index], from.entries.extract(from.entries.begin()));
      is_done = from.entries.empty();
      if (is_done) from.newest_lsn = 0;
    }
  }

  void forget_in(LayerIndex index, std::uint64_t lsn) noexcept {
    if (lsn == 0) return;
    {
      Entries forgotten;  // Freed behind the lock.
      const base::MutexLock lock(mutex_);
      Layer& layer = layers_[index];
      if (layer.newest_lsn <= lsn) {
        forgotten.swap(layer.entries);
        layer.newest_lsn = 0;
        if (!forgotten.empty()) ++removals_;
        return;
      }
    }
    sweep(index, [lsn](const Item& item) { return item.second.lsn <= lsn; });
  }

  // Entries leave a layer by the hand of this thread only: the place is good while the lock is free.
  template <class IsGone>
  void sweep(LayerIndex index, const IsGone& is_gone) {
    std::optional<typename Entries::iterator> next;
    for (bool is_done = false; !is_done; mutex_.let_others_pass()) {
      const base::MutexLock lock(mutex_);
      Entries& entries = layers_[index].entries;
      if (!next) next = entries.begin();
      for (std::size_t i = 0; i < piece_entries && *next != entries.end(); ++i) {
        const auto looked_at = (*next)++;
        if (!is_gone(*looked_at)) continue;
        entries.erase(looked_at);
        ++removals_;
      }
      is_done = *next == entries.end();
    }
  }

  mutable Mutex mutex_;
  std::array<Layer, layer_count> layers_ SERIATIM_GUARDED_BY(mutex_);
  std::uint64_t newest_lsn_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t removals_ SERIATIM_GUARDED_BY(mutex_) = 0;
};

}  // namespace seriatim::catalog
