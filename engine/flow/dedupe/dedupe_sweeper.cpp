#include "flow/dedupe/dedupe_sweeper.hpp"

#include <algorithm>

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

std::string key_of(const StateEntry& entry) {
  return {reinterpret_cast<const char*>(entry.key.data()), entry.key.size()};
}

// An id in hand that no change has yet.
class OwnClaim {
 public:
  OwnClaim(flow::DedupeClaims& claims, std::string_view id) noexcept : claims_(&claims), id_(id) {}
  OwnClaim(const OwnClaim&) = delete;
  OwnClaim& operator=(const OwnClaim&) = delete;
  ~OwnClaim() {
    if (claims_ != nullptr) claims_->release(id_);
  }
  void hand_over() noexcept { claims_ = nullptr; }

 private:
  flow::DedupeClaims* claims_;
  std::string_view id_;
};

}  // namespace

DedupeSweeper::Change::~Change() {
  if (work_) impl_->put_away(std::move(work_));
}

TransactionTable DedupeSweeper::Change::table(const std::string& name) {
  return flow::own_table(work_->transaction, name);
}

Result<> DedupeSweeper::Change::commit() {
  auto committed = impl_->commit(*work_);
  // Once more where the disk was full: what was staged before may have found room.
  if (!committed && committed.error().outcome() == Outcome::unknown) committed = impl_->commit(*work_);
  return committed;
}

Result<DedupeSweeper::Change> DedupeSweeper::begin() {
  impl_.settle();
  auto begun = own_.begin();
  if (!begun) return begun.error();
  return Change(impl_, std::make_unique<DedupeWork>(*std::move(begun)));
}

Result<> DedupeSweeper::probe() {
  const std::lock_guard lock(mutex_);
  auto change = begin();
  return change ? Result<>() : Result<>(change.error());
}

Result<> DedupeSweeper::put(const std::string& table, std::string_view key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  auto change = begin();
  if (!change) return change.error();
  auto done = change->table(table).put(key, value);
  return done ? change->commit() : done;
}

// A transaction may have recorded it since the page was read: then it looks again. One that is not counted
// yet still has its ids in hand.
Result<bool> DedupeSweeper::erase_if_outside(Change& change, const Outside& one, std::uint64_t rewrites) {
  flow::DedupeHeld& held = change.work().held[one.id];
  held.is_claimed = impl_.claims_.try_claim(one.id, flow::DedupeHolder::own);
  if (!held.is_claimed) return false;
  flow::DedupeMark mark = one.mark;
  if (impl_.ledger_.rewrites() != rewrites) {
    auto row = impl_.row_of(change.work().transaction, one.id);
    if (!row) return row.error();
    if (!*row || impl_.ledger_.holds((*row)->mark, impl_.now_())) return false;
    mark = (*row)->mark;
  }
  auto erased = change.table(impl_.table_.name()).erase(one.id);
  if (!erased) return erased.error();
  held.before = mark;
  held.is_erased = true;
  return true;
}

Result<DedupeSweeper::Page> DedupeSweeper::sweep_page(std::string& cursor) {
  const std::uint64_t rewrites = impl_.ledger_.rewrites();
  auto entries = impl_.table_.scan(cursor, swept_at_once);
  if (!entries) return entries.error();
  const Timestamp now = impl_.now_();
  std::vector<Outside> outside;
  std::string behind = cursor;
  for (const StateEntry& entry : *entries) {
    std::string id = key_of(entry);
    const auto row = flow::decode_dedupe_row(entry.value);
    if (!row) return flow::unreadable_dedupe(impl_.table_.name(), id);
    behind = id + '\0';
    if (!impl_.ledger_.holds(row->mark, now)) outside.push_back({.id = std::move(id), .mark = row->mark});
  }
  Page page{.is_last = entries->size() < swept_at_once};
  if (!outside.empty()) {
    auto change = begin();
    if (!change) return change.error();
    for (const Outside& one : outside) {
      auto erased = erase_if_outside(*change, one, rewrites);
      const bool is_full = !erased && erased.error().code() == Errc::record_too_large && page.erased > 0;
      if (is_full) {
        // The rest comes with the next page.
        behind = one.id;
        page.is_last = false;
        break;
      }
      if (!erased) return erased.error();
      page.erased += *erased ? 1 : 0;
    }
    if (page.erased > 0) {
      if (auto committed = change->commit(); !committed) return committed.error();
    }
  }
  cursor = std::move(behind);
  impl_.ledger_.count_swept(page.erased);
  return page;
}

Result<std::uint64_t> DedupeSweeper::sweep() {
  std::uint64_t erased = 0;
  std::string cursor;
  for (;;) {
    const std::lock_guard lock(mutex_);
    auto page = sweep_page(cursor);
    if (!page) return page.error().with_context("sweeping deduplicator " + impl_.options_.name);
    erased += page->erased;
    if (page->is_last) return erased;
  }
}

bool DedupeSweeper::is_due() const {
  const Timestamp now = impl_.now_();
  const std::uint64_t outside = impl_.ledger_.outside(now);
  if (outside == 0) return false;
  const std::chrono::milliseconds every = std::max(impl_.options_.window_time / 4, pass_every_min);
  const bool is_late = !last_pass_ || now < *last_pass_ || now - *last_pass_ >= every;
  return is_late || outside >= impl_.ledger_.counts().ids / 2;
}

Result<std::chrono::nanoseconds> DedupeSweeper::run() {
  // Calls may wait for ids of transactions whose end is known by now.
  impl_.settle();
  const std::lock_guard lock(mutex_);
  if (!is_passing_ && !is_due()) return look_every;
  is_passing_ = true;
  auto page = sweep_page(cursor_);
  // Fenced, or the engine was closed: nothing will succeed any more.
  if (!page && page.error().fatal()) return std::chrono::nanoseconds::max();
  if (!page) return page.error().with_context("sweeping deduplicator " + impl_.options_.name);
  if (!page->is_last) return std::chrono::nanoseconds(0);
  is_passing_ = false;
  cursor_.clear();
  last_pass_ = impl_.now_();
  return look_every;
}

Result<bool> DedupeSweeper::forget(std::string_view id) {
  // Before the mutex: a wait for the id may be long, and must hold up no sweep.
  auto claimed = impl_.claims_.claim(id, flow::DedupeHolder::own, [this] { impl_.settle(); });
  if (!claimed) {
    impl_.ledger_.count_refusal();
    return claimed.error();
  }
  OwnClaim claim(impl_.claims_, id);
  const std::lock_guard lock(mutex_);
  auto change = begin();
  if (!change) return change.error();
  flow::DedupeHeld& held = change->work().held[std::string(id)];
  held.is_claimed = true;
  claim.hand_over();
  auto row = impl_.row_of(change->work().transaction, id);
  if (!row) return row.error();
  if (!*row) return false;
  const bool was_held = impl_.ledger_.holds((*row)->mark, impl_.now_());
  if (auto erased = change->table(impl_.table_.name()).erase(id); !erased) return erased.error();
  held.before = (*row)->mark;
  held.is_erased = true;
  if (auto committed = change->commit(); !committed) return committed.error();
  return was_held;
}

Result<std::size_t> DedupeSweeper::erase_all(const std::vector<std::string>& ids) {
  auto change = begin();
  if (!change) return change.error();
  auto table = change->table(impl_.table_.name());
  std::size_t erased = 0;
  for (const std::string& id : ids) {
    auto done = table.erase(id);
    const bool is_full = !done && done.error().code() == Errc::record_too_large && erased > 0;
    if (is_full) break;
    if (!done) return done.error();
    ++erased;
  }
  if (auto committed = change->commit(); !committed) return committed.error();
  return erased;
}

// The name goes last: where it stops on the way, the rest is found again.
Result<std::uint64_t> DedupeSweeper::purge(const std::string& window_table) {
  const std::lock_guard lock(mutex_);
  std::uint64_t erased = 0;
  for (;;) {
    auto page = impl_.table_.scan({}, swept_at_once);
    if (!page) return page.error();
    if (page->empty()) break;
    std::vector<std::string> ids;
    for (const StateEntry& entry : *page) ids.push_back(key_of(entry));
    auto done = erase_all(ids);
    if (!done) return done.error();
    erased += *done;
  }
  auto change = begin();
  if (!change) return change.error();
  auto gone = change->table(window_table).erase(flow::dedupe_window_key);
  if (gone) gone = change->commit();
  if (!gone) return gone.error();
  return erased;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
