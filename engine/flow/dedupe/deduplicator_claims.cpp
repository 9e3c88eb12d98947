// Ids in hand: of two transactions at one time only one is told that an id is the first.
#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "flow/dedupe/deduplicator_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

using std::chrono::steady_clock;

// Keeps a deadline in the range of its clock.
constexpr std::chrono::milliseconds wait_max = std::chrono::hours(24 * 365);

Error in_other_hands(std::string_view id) {
  return {Errc::concurrent_transactions,
          "another transaction has id \"" + std::string(id) +
              "\" in hand; whether it is a duplicate is known when that has ended. Try again then, or set "
              "DeduplicatorOptions::wait"};
}

}  // namespace

Result<> DeduplicatorImpl::claim(std::string_view id, Holder holder) {
  const auto deadline = steady_clock::now() + std::min(options_.wait, wait_max);
  bool has_settled = false;
  Lock lock(mutex_);
  for (;;) {
    const auto found = claims_.find(id);
    if (found == claims_.end()) break;
    if (found->second == Holder::own) {
      // A commit away.
      changed_.wait(lock);
    } else if (found->second == Holder::undecided && !has_settled) {
      has_settled = true;
      lock.unlock();
      settle();
      lock.lock();
    } else if (options_.wait.count() > 0 && steady_clock::now() < deadline) {
      changed_.wait_until(lock, deadline);
    } else {
      ++counts_.refusals;
      return in_other_hands(id);
    }
  }
  claims_.emplace(id, holder);
  return {};
}

bool DeduplicatorImpl::try_claim(const std::string& id, Holder holder) {
  const std::lock_guard lock(mutex_);
  return claims_.emplace(id, holder).second;
}

Result<std::optional<flow::DedupeRow>> DeduplicatorImpl::take(DedupeWork& work, std::string_view id,
                                                              Holder holder) {
  DedupeHeld& held = work.held[std::string(id)];
  if (auto claimed = claim(id, holder); !claimed) {
    let_go(work, id);
    return claimed.error();
  }
  held.is_claimed = true;
  auto row = row_of(work.transaction, id);
  if (!row) let_go(work, id);
  return row;
}

void DeduplicatorImpl::let_go(DedupeWork& work, std::string_view id) noexcept {
  const auto entry = work.held.find(id);
  if (entry == work.held.end()) return;
  if (entry->second.is_claimed) {
    const std::lock_guard lock(mutex_);
    const auto found = claims_.find(id);
    if (found != claims_.end()) claims_.erase(found);
  }
  work.held.erase(entry);
  changed_.notify_all();
}

// An abort that answers anything but this lets nothing of the transaction ever be seen.
DeduplicatorImpl::End DeduplicatorImpl::end_of(Transaction& transaction) {
  const auto aborted = transaction.abort();
  if (aborted || aborted.error().code() != Errc::invalid_txn_state) return End::aborted;
  const auto committed = transaction.commit();
  if (committed) return End::committed;
  // Of an engine that was closed, or has failed, nobody learns it; nothing is recorded with it either.
  return committed.error().fatal() ? End::aborted : End::unknown;
}

void DeduplicatorImpl::finish(DedupeWork& work, End end) noexcept {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, held] : work.held) {
      const auto found = claims_.find(id);
      if (held.is_claimed && found != claims_.end()) claims_.erase(found);
      if (end != End::committed) continue;
      try {
        if (held.recorded) window_.add(*held.recorded);
      } catch (const std::exception&) {
        // No memory to count it: it is remembered until it leaves the window by time.
      }
      if (held.recorded) ++counts_.firsts;
      if (held.before && (held.recorded || held.is_erased)) window_.remove(*held.before);
    }
    // In front: one whose end is unfinished is the last to be taken again.
    if (work.slot) idle_.insert(idle_.begin(), *std::move(work.slot));
    work.slot.reset();
    work.held.clear();
    work.is_over = true;
  }
  changed_.notify_all();
}

void DeduplicatorImpl::put_away(std::unique_ptr<DedupeWork> work) noexcept {
  if (work->is_over) return;
  const End end = end_of(work->transaction);
  if (end != End::unknown) {
    finish(*work, end);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, held] : work->held) {
      const auto found = claims_.find(id);
      if (held.is_claimed && found != claims_.end()) found->second = Holder::undecided;
    }
    try {
      undecided_.push_back(std::move(work));
    } catch (const std::exception&) {
      // No memory to ask again: the ids stay in hand until the next open.
    }
  }
  changed_.notify_all();
}

void DeduplicatorImpl::settle() {
  std::vector<std::unique_ptr<DedupeWork>> asked;
  {
    const std::lock_guard lock(mutex_);
    asked.swap(undecided_);
  }
  for (auto& work : asked) put_away(std::move(work));
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
