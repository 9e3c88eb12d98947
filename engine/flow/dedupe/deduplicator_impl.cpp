#include "flow/dedupe/deduplicator_impl.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "flow/own_tables.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t id_bytes_max = 400;  // A key of a state.

Error is_over_error() {
  return {Errc::invalid_txn_state, "this DedupeTransaction has ended; begin another one"};
}

}  // namespace

Result<DedupeTransaction> DeduplicatorImpl::begin() {
  settle();
  const auto longest = std::min<std::chrono::milliseconds>(options_.wait, std::chrono::hours(24 * 365));
  Lock lock(mutex_);
  if (!changed_.wait_for(lock, longest, [&] { return !idle_.empty(); })) {
    return Error(Errc::concurrent_transactions,
                 "all " + std::to_string(options_.transactions_max) + " transactions of deduplicator \"" +
                     options_.name +
                     "\" are in use; end one, or raise DeduplicatorOptions::transactions_max or wait");
  }
  TransactionalProducer slot = std::move(idle_.back());
  idle_.pop_back();
  lock.unlock();
  try {
    auto begun = slot.begin();
    if (!begun) {
      give_back(std::move(slot));
      return begun.error();
    }
    auto work = std::make_unique<DedupeWork>(*std::move(begun));
    work->slot = std::move(slot);
    return DedupeTransaction(shared_from_this(), std::move(work));
  } catch (...) {
    give_back(std::move(slot));
    throw;
  }
}

// In front: one whose end is unfinished is the last to be taken again. There is room: they were all here.
void DeduplicatorImpl::give_back(TransactionalProducer slot) noexcept {
  {
    const std::lock_guard lock(mutex_);
    idle_.insert(idle_.begin(), std::move(slot));
  }
  changed_.notify_all();
}

Result<> DeduplicatorImpl::check_id(std::string_view id) {
  if (!id.empty() && id.size() <= id_bytes_max) return {};
  return Error(Errc::invalid_argument, "the id of a message has " + std::to_string(id.size()) +
                                           " bytes; it must be 1 to " + std::to_string(id_bytes_max) +
                                           ": of a longer one give a hash");
}

Result<DedupeTransaction> DeduplicatorImpl::join(Transaction transaction) {
  {
    const std::lock_guard lock(own_mutex_);
    if (auto probe = begin_own(); !probe) return probe.error();
  }
  return DedupeTransaction(shared_from_this(), std::make_unique<DedupeWork>(std::move(transaction)));
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

bool DeduplicatorImpl::holds(const flow::DedupeMark& mark, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return window_.holds(mark, now);
}

DedupeSeen DeduplicatorImpl::duplicate(flow::DedupeRow row) {
  const std::lock_guard lock(mutex_);
  ++counts_.duplicates;
  return {.is_first = false, .result = std::move(row.result), .time = row.mark.time};
}

Result<DedupeSeen> DeduplicatorImpl::check(DedupeWork& work, std::string_view id) {
  if (auto checked = check_id(id); !checked) return checked.error();
  if (work.is_over) return is_over_error();
  const Timestamp now = now_();
  const auto known = work.held.find(id);
  if (known != work.held.end() && known->second.is_claimed) {
    auto row = row_of(work.transaction, id);
    if (!row) return row.error();
    if (known->second.recorded && *row) return duplicate(**std::move(row));
    return DedupeSeen{.is_first = true, .time = now};
  }
  auto row = take(work, id, Holder::transaction);
  if (!row) return row.error();
  if (*row && holds((*row)->mark, now)) {
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
  DedupeHeld& held = known->second;
  flow::DedupeMark mark;
  if (held.recorded) {
    mark = *held.recorded;
  } else {
    const Timestamp now = now_();
    const std::lock_guard lock(mutex_);
    mark = window_.next(now);
  }
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

DedupeCounts DeduplicatorImpl::counts() const {
  const std::lock_guard lock(mutex_);
  DedupeCounts counts = counts_;
  counts.ids = window_.stored();
  return counts;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
