#include "flow/dedupe/deduplicator_impl.hpp"

#include <exception>
#include <utility>

#include "flow/answered.hpp"
#include "flow/own_tables.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t id_bytes_max = 400;  // A key of a state.

Result<> check_dedupe_id(std::string_view id) {
  if (!id.empty() && id.size() <= id_bytes_max) return {};
  return Error(Errc::invalid_argument, "the id of a message has " + std::to_string(id.size()) +
                                           " bytes; it must be 1 to " + std::to_string(id_bytes_max) +
                                           ": of a longer one give a hash");
}

Error is_over_error() {
  return {Errc::invalid_txn_state, "this DedupeTransaction has ended; begin another one"};
}

}  // namespace

Result<DedupeTransaction> DeduplicatorImpl::begin() {
  settle();
  auto slot = slots_.take(options_.wait);
  if (!slot) {
    return Error(Errc::concurrent_transactions,
                 "all " + std::to_string(options_.transactions_max) + " transactions of deduplicator \"" +
                     options_.name +
                     "\" are in use; end one, or raise DeduplicatorOptions::transactions_max or wait");
  }
  try {
    auto begun = slot->begin();
    if (!begun) {
      slots_.give(*std::move(slot));
      return begun.error();
    }
    auto work = std::make_unique<DedupeWork>(*std::move(begun));
    work->slot = std::move(slot);
    return DedupeTransaction(shared_from_this(), std::move(work));
  } catch (...) {
    slots_.give(*std::move(slot));
    throw;
  }
}

Result<DedupeTransaction> DeduplicatorImpl::join(Transaction transaction) {
  if (auto ours = sweeper_.probe(); !ours) return ours.error();
  return DedupeTransaction(shared_from_this(), std::make_unique<DedupeWork>(std::move(transaction)));
}

Result<bool> DeduplicatorImpl::forget(std::string_view id) {
  if (auto checked = check_dedupe_id(id); !checked) return checked.error();
  return sweeper_.forget(id);
}

Result<std::optional<flow::DedupeRow>> DeduplicatorImpl::take(DedupeWork& work, std::string_view id) {
  flow::DedupeHeld& held = work.held[std::string(id)];
  auto claimed = claims_.claim(id, flow::DedupeHolder::transaction, [this] { settle(); });
  if (!claimed) {
    let_go(work, id);
    ledger_.count_refusal();
    return claimed.error();
  }
  held.is_claimed = true;
  // An id in hand is a first, so it must not stay there unread.
  auto row = flow::answered([&] { return row_of(work.transaction, id); });
  if (!row) let_go(work, id);
  return row;
}

void DeduplicatorImpl::let_go(DedupeWork& work, std::string_view id) noexcept {
  const auto entry = work.held.find(id);
  if (entry == work.held.end()) return;
  if (entry->second.is_claimed) claims_.release(id);
  work.held.erase(entry);
}

Result<std::optional<flow::DedupeRow>> DeduplicatorImpl::row_of(Transaction& transaction,
                                                                std::string_view id) const {
  auto bytes = flow::own_table(transaction, table_.name()).get(id);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<flow::DedupeRow>();
  auto row = flow::decode_dedupe_row(**bytes);
  if (!row) return flow::unreadable_dedupe(table_.name(), id);
  return row;
}

DedupeSeen DeduplicatorImpl::duplicate(flow::DedupeRow row) {
  ledger_.count_duplicate();
  return {.is_first = false, .result = std::move(row.result), .time = row.mark.time};
}

Result<DedupeSeen> DeduplicatorImpl::check(DedupeWork& work, std::string_view id) {
  if (auto checked = check_dedupe_id(id); !checked) return checked.error();
  if (work.is_over) return is_over_error();
  const auto known = work.held.find(id);
  if (known != work.held.end() && known->second.is_claimed) {
    auto row = row_of(work.transaction, id);
    if (!row) return row.error();
    if (known->second.recorded && *row) return duplicate(**std::move(row));
    return DedupeSeen{.is_first = true, .time = now_()};
  }
  auto row = take(work, id);
  if (!row) return row.error();
  // Behind the wait for the id, which may have been long.
  const Timestamp now = now_();
  if (*row && ledger_.holds((*row)->mark, now)) {
    let_go(work, id);
    return duplicate(**std::move(row));
  }
  if (*row) work.held.find(id)->second.before = (*row)->mark;
  return DedupeSeen{.is_first = true, .time = now};
}

Result<> DeduplicatorImpl::record(DedupeWork& work, std::string_view id, BytesView result) {
  if (work.is_over) return is_over_error();
  const auto known = work.held.find(id);
  if (known == work.held.end() || !known->second.is_claimed) {
    return Error(Errc::invalid_state, "id \"" + std::string(id.substr(0, id_bytes_max)) +
                                          "\" is not in the hand of this transaction; record it when check "
                                          "has said that it is the first");
  }
  if (result.size() > options_.result_bytes_max) {
    return Error(Errc::record_too_large, "the result for id \"" + std::string(id) + "\" has " +
                                             std::to_string(result.size()) +
                                             " bytes; DeduplicatorOptions::result_bytes_max is " +
                                             std::to_string(options_.result_bytes_max));
  }
  flow::DedupeHeld& held = known->second;
  const flow::DedupeMark mark = held.recorded ? *held.recorded : ledger_.next(now_());
  auto put = flow::own_table(work.transaction, table_.name()).put(id, flow::encode(mark, result));
  if (put) held.recorded = mark;
  return put;
}

Result<> DeduplicatorImpl::commit(DedupeWork& work) {
  auto committed = work.transaction.commit();
  if (committed && !work.is_over) finish(work, End::committed);
  return committed;
}

Result<> DeduplicatorImpl::abort(DedupeWork& work) {
  auto aborted = work.transaction.abort();
  if (aborted && !work.is_over) finish(work, End::aborted);
  return aborted;
}

// An abort that answers anything but this lets nothing of the transaction ever be seen.
DeduplicatorImpl::End DeduplicatorImpl::end_of(Transaction& transaction) {
  const auto aborted = transaction.abort();
  if (aborted || aborted.error().code() != Errc::invalid_txn_state) return End::aborted;
  const auto committed = transaction.commit();
  if (committed) return End::committed;
  // Of an engine that was closed, or has failed, nobody learns it; nothing is recorded with it either. Where
  // both calls say that it has ended, another transaction of its id has begun since, and the table tells.
  const bool is_over = committed.error().fatal() || committed.error().code() == Errc::invalid_txn_state;
  return is_over ? End::aborted : End::unknown;
}

void DeduplicatorImpl::finish(DedupeWork& work, End end) noexcept {
  for (const auto& [id, held] : work.held) {
    if (end == End::committed) ledger_.enter(held);
    if (held.is_claimed) claims_.release(id);
  }
  work.held.clear();
  work.is_over = true;
  if (work.slot) slots_.give(*std::move(work.slot));
  work.slot.reset();
}

void DeduplicatorImpl::put_away(std::unique_ptr<DedupeWork> work) noexcept {
  if (work->is_over) return;
  const End end = end_of(work->transaction);
  if (end != End::unknown) {
    finish(*work, end);
    return;
  }
  const DedupeWork& kept = *work;
  const std::lock_guard lock(mutex_);
  try {
    undecided_.push_back(std::move(work));
  } catch (const std::exception&) {
    // No memory to ask again: the ids stay in hand until the next open, and nobody waits for them.
  }
  for (const auto& [id, held] : kept.held) {
    if (held.is_claimed) claims_.leave_undecided(id);
  }
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
