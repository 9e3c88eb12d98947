// Erases what has left the window, page by page, in transactions of our own.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "flow/dedupe/deduplicator_impl.hpp"
#include "flow/own_tables.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t swept_at_once = 128;  // With their results, which may be long. Arbitrary.
constexpr std::chrono::nanoseconds look_every = std::chrono::seconds(1);
// Between two passes that find little: they read all ids.
constexpr std::chrono::milliseconds pass_every_min = std::chrono::minutes(1);

}  // namespace

Result<DedupeTransaction> DeduplicatorImpl::begin_own() {
  settle();
  auto begun = own_.begin();
  if (!begun) return begun.error();
  return DedupeTransaction(shared_from_this(), std::make_unique<DedupeWork>(*std::move(begun)));
}

Result<> DeduplicatorImpl::commit_own(DedupeTransaction& own) {
  auto committed = commit(*own.work_);
  // Once more where the disk was full: what was staged before may have found room.
  if (!committed && committed.error().outcome() == Outcome::unknown) committed = commit(*own.work_);
  return committed;
}

// Looks again: a transaction may have recorded it since the page was read.
Result<bool> DeduplicatorImpl::erase_if_outside(DedupeTransaction& own, const std::string& id) {
  DedupeHeld& held = own.work_->held[id];
  held.is_claimed = try_claim(id, Holder::own);
  if (!held.is_claimed) return false;
  auto row = row_of(own.transaction(), id);
  if (!row) return row.error();
  if (!*row || holds((*row)->mark, now_())) return false;
  auto erased = flow::own_table(own.transaction(), table_.name()).erase(id);
  if (!erased) return erased.error();
  held.before = (*row)->mark;
  held.is_erased = true;
  return true;
}

Result<DeduplicatorImpl::SweptPage> DeduplicatorImpl::sweep_page(std::string& cursor) {
  auto page = table_.scan(cursor, swept_at_once);
  if (!page) return page.error();
  const Timestamp now = now_();
  std::vector<std::string> outside;
  std::string behind = cursor;
  for (const StateEntry& entry : *page) {
    std::string id(reinterpret_cast<const char*>(entry.key.data()), entry.key.size());
    const auto row = flow::decode_dedupe_row(entry.value);
    if (!row) return flow::unreadable_dedupe(table_.name(), id);
    behind = id + '\0';
    if (!holds(row->mark, now)) outside.push_back(std::move(id));
  }
  SweptPage swept{.is_last = page->size() < swept_at_once};
  if (!outside.empty()) {
    auto own = begin_own();
    if (!own) return own.error();
    for (const std::string& id : outside) {
      auto erased = erase_if_outside(*own, id);
      const bool is_full = !erased && erased.error().code() == Errc::record_too_large;
      if (!erased && (!is_full || swept.erased == 0)) return erased.error();
      if (is_full) {
        // The rest comes with the next page.
        behind = id;
        swept.is_last = false;
        break;
      }
      swept.erased += *erased ? 1 : 0;
    }
    if (swept.erased > 0) {
      if (auto committed = commit_own(*own); !committed) return committed.error();
    }
  }
  cursor = std::move(behind);
  const std::lock_guard lock(mutex_);
  counts_.swept += swept.erased;
  return swept;
}

Result<std::uint64_t> DeduplicatorImpl::sweep() {
  std::uint64_t erased = 0;
  std::string cursor;
  for (;;) {
    const std::lock_guard lock(own_mutex_);
    auto page = sweep_page(cursor);
    if (!page) return page.error().with_context("sweeping deduplicator " + options_.name);
    erased += page->erased;
    if (page->is_last) return erased;
  }
}

bool DeduplicatorImpl::is_sweep_due() {
  const Timestamp now = now_();
  const std::lock_guard lock(mutex_);
  const std::uint64_t outside = window_.outside(now);
  if (outside == 0) return false;
  const std::chrono::milliseconds every = std::max(options_.window_time / 4, pass_every_min);
  const bool is_late = !last_pass_ || now < *last_pass_ || now - *last_pass_ >= every;
  return is_late || outside >= window_.stored() - outside;
}

Result<std::chrono::nanoseconds> DeduplicatorImpl::sweep_in_background() {
  const std::lock_guard lock(own_mutex_);
  if (!is_passing_ && !is_sweep_due()) return look_every;
  is_passing_ = true;
  auto page = sweep_page(cursor_);
  // Fenced, or the engine was closed: nothing will succeed any more.
  if (!page && page.error().fatal()) return std::chrono::nanoseconds::max();
  if (!page) return page.error().with_context("sweeping deduplicator " + options_.name);
  if (!page->is_last) return std::chrono::nanoseconds(0);
  is_passing_ = false;
  cursor_.clear();
  last_pass_ = now_();
  return look_every;
}

Result<bool> DeduplicatorImpl::forget(std::string_view id) {
  if (auto checked = check_id(id); !checked) return checked.error();
  const std::lock_guard lock(own_mutex_);
  auto own = begin_own();
  if (!own) return own.error();
  auto row = take(*own->work_, id, Holder::own);
  if (!row) return row.error();
  if (!*row) return false;
  const bool was_held = holds((*row)->mark, now_());
  if (auto erased = flow::own_table(own->transaction(), table_.name()).erase(id); !erased)
    return erased.error();
  DedupeHeld& held = own->work_->held.find(id)->second;
  held.before = (*row)->mark;
  held.is_erased = true;
  if (auto committed = commit_own(*own); !committed) return committed.error();
  return was_held;
}

Result<std::size_t> DeduplicatorImpl::erase_all(const std::vector<std::string>& ids) {
  auto own = begin_own();
  if (!own) return own.error();
  auto table = flow::own_table(own->transaction(), table_.name());
  std::size_t erased = 0;
  for (const std::string& id : ids) {
    auto done = table.erase(id);
    const bool is_full = !done && done.error().code() == Errc::record_too_large && erased > 0;
    if (is_full) break;
    if (!done) return done.error();
    ++erased;
  }
  if (auto committed = commit_own(*own); !committed) return committed.error();
  return erased;
}

// The name goes last: where it stops on the way, the rest is found again.
Result<std::uint64_t> DeduplicatorImpl::purge() {
  const std::lock_guard lock(own_mutex_);
  std::uint64_t erased = 0;
  for (;;) {
    auto page = table_.scan({}, swept_at_once);
    if (!page) return page.error();
    if (page->empty()) break;
    std::vector<std::string> ids;
    for (const StateEntry& entry : *page)
      ids.emplace_back(reinterpret_cast<const char*>(entry.key.data()), entry.key.size());
    auto done = erase_all(ids);
    if (!done) return done.error();
    erased += *done;
  }
  auto own = begin_own();
  if (!own) return own.error();
  auto gone = flow::own_table(own->transaction(), flow::dedupe_window_state(options_.name))
                  .erase(flow::dedupe_window_key);
  if (gone) gone = commit_own(*own);
  if (!gone) return gone.error();
  return erased;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
