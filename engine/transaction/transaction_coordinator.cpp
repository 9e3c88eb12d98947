#include "transaction/transaction_coordinator.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/boundary.hpp"
#include "transaction/transaction_errors.hpp"

namespace seriatim::transaction {
namespace {

// The last epoch whose transactions have one for their markers.
constexpr ProducerEpoch last_epoch = std::numeric_limits<ProducerEpoch>::max() - 1;

}  // namespace

void TransactionCoordinator::restore(std::string_view transactional_id,
                                     const catalog::TransactionalId& record) {
  const base::MutexLock lock(known_mutex_);
  known_[std::string(transactional_id)].record = record;
}

// Stored before anybody is fenced: a disk without room for it leaves the older holder as it was.
Result<ProducerIdAndEpoch> TransactionCoordinator::store_next(const std::optional<ProducerIdAndEpoch>& last,
                                                              const std::string& id,
                                                              std::chrono::milliseconds timeout) {
  ProducerIdAndEpoch next;
  if (last && last->epoch < last_epoch) {
    next = {last->id, static_cast<ProducerEpoch>(last->epoch + 1)};
  } else {
    auto fresh = environment_.new_producer_id();
    if (!fresh) return fresh.error();
    next = {*fresh, 0};
  }
  const catalog::TransactionalId record{.producer_id = next.id,
                                        .producer_epoch = next.epoch,
                                        .timeout_ms = static_cast<std::int32_t>(std::min<std::int64_t>(
                                            timeout.count(), std::numeric_limits<std::int32_t>::max())),
                                        .last_used_ms = environment_.clock.wall_ms()};
  if (auto stored = environment_.store_id(id, record); !stored) return stored.error();
  const base::MutexLock lock(known_mutex_);
  known_[id].record = record;
  return next;
}

Result<ProducerIdAndEpoch> TransactionCoordinator::take_over(Holder& older, const std::string& id,
                                                             std::chrono::milliseconds timeout) {
  const base::MutexLock lock(older.mutex);
  auto last = older.identity();
  // The end of what is open has the epoch in between.
  if (older.phase != Phase::empty) last.epoch = std::min(last_epoch, ProducerEpoch(last.epoch + 1));
  auto next = store_next(last, id, timeout);
  if (!next) return next;
  if (auto ended = end(older, Ending::aborted); !ended) return ended.error();
  older.is_fenced = true;
  return next;
}

Result<HolderPtr> TransactionCoordinator::open(std::string_view transactional_id,
                                               std::chrono::milliseconds timeout) {
  const base::MutexLock opening(opening_mutex_);
  const std::string id(transactional_id);
  HolderPtr older;
  std::optional<ProducerIdAndEpoch> last;
  {
    const base::MutexLock lock(known_mutex_);
    const auto found = known_.find(id);
    if (found != known_.end()) {
      older = found->second.holder;
      last = {found->second.record.producer_id, found->second.record.producer_epoch};
    }
  }
  auto identity = older ? take_over(*older, id, timeout) : store_next(last, id, timeout);
  if (!identity) return identity.error();
  auto holder = std::make_shared<Holder>(id, timeout);
  holder->set_identity(*identity);
  const base::MutexLock lock(known_mutex_);
  known_[id].holder = holder;
  return holder;
}

Result<std::uint64_t> TransactionCoordinator::begin(Holder& holder) {
  const base::MutexLock lock(holder.mutex);
  if (holder.is_fenced) return fenced(holder.id);
  if (holder.phase != Phase::empty) return still_open(holder.id);
  const auto identity = holder.identity();
  if (identity.epoch > last_epoch) {
    auto id = environment_.new_producer_id();
    if (!id) return id.error();
    holder.set_identity({*id, 0});
  }
  holder.phase = Phase::ongoing;
  holder.ending = Ending::none;
  holder.must_abort = false;
  const auto now_ms = environment_.clock.both_ms();
  holder.started_ms = now_ms.wall;
  holder.deadline_ms = now_ms.monotonic + holder.timeout.count();
  begun_.add();
  return ++holder.number;
}

Result<> TransactionCoordinator::check_open(const Holder& holder, std::uint64_t number) const {
  if (is_closing_.load(std::memory_order_acquire)) return engine_closed(holder.id);
  if (holder.number == number && holder.phase == Phase::ongoing && !holder.must_abort) return {};
  if (holder.is_fenced) return fenced(holder.id);
  if (holder.number == number && holder.phase == Phase::ongoing) return is_uncertain(holder.id);
  if (holder.number == number && holder.ending == Ending::timed_out) {
    return timed_out(holder.id, holder.timeout);
  }
  if (holder.number == number && holder.ending == Ending::withdrawn) return withdrawn(holder.id);
  return has_ended(holder.id);
}

bool TransactionCoordinator::is_open(const Holder& holder, std::uint64_t number) const {
  const base::MutexLock lock(holder.mutex);
  return holder.number == number && holder.phase != Phase::empty;
}

Result<> TransactionCoordinator::check_room(const Holder& holder, std::int64_t more) const {
  const std::size_t known = format::decision_head_bytes + holder.id.size() +
                            holder.enlisted.size() * format::decided_partition_bytes +
                            (holder.effects ? holder.effects->bytes() : 0);
  const auto bytes = static_cast<std::uint64_t>(static_cast<std::int64_t>(known) + more);
  if (bytes <= environment_.decision_bytes_max) return {};
  return too_large(holder.id, bytes, environment_.decision_bytes_max);
}

// A transaction writes to few partitions, mostly to the one of its last record.
Result<Enlisted*> TransactionCoordinator::enlist(Holder& holder, const Batch& batch) const {
  const auto found =
      std::find_if(holder.enlisted.rbegin(), holder.enlisted.rend(),
                   [&](const Enlisted& enlisted) { return enlisted.partition == &batch.partition; });
  if (found != holder.enlisted.rend()) return &*found;
  if (auto room = check_room(holder, format::decided_partition_bytes); !room) return room.error();
  const bool is_kept =
      std::any_of(holder.partitions.begin(), holder.partitions.end(),
                  [&](const partition::PartitionPtr& kept) { return kept.get() == &batch.partition; });
  if (!is_kept) holder.partitions.push_back(batch.partition.shared_from_this());
  return &holder.enlisted.emplace_back(Enlisted{.partition = &batch.partition, .topic_id = batch.topic_id});
}

Result<partition::PartitionAppend> TransactionCoordinator::append(Holder& holder, std::uint64_t number,
                                                                  const Batch& batch) {
  const base::MutexLock lock(holder.mutex);
  if (auto checked = check_open(holder, number); !checked) return checked.error();
  auto enlisted_at = enlist(holder, batch);
  if (!enlisted_at) return enlisted_at.error();
  Enlisted& enlisted = **enlisted_at;
  const auto identity = holder.identity();
  format::FrameOptions& options = batch.options;
  options.producer_id = identity.id;
  options.producer_epoch = identity.epoch;
  options.base_sequence = enlisted.next_sequence;
  options.transactional = true;
  auto appended = base::answered([&]() -> Result<partition::PartitionAppend> {
    format::FramedBatch framed;
    if (auto made = batch.frame(options, framed); !made) return made.error();
    return batch.partition.append(framed, batch.durability);
  });
  if (!appended) {
    if (appended.error().outcome() == Outcome::unknown) {
      holder.must_abort = true;
      enlisted.last_offset = std::max(enlisted.last_offset, Offset{0});
    } else if (enlisted.last_offset < 0) {
      holder.enlisted.pop_back();
    }
    return appended;
  }
  if (enlisted.first_offset < 0) enlisted.first_offset = appended->base_offset;
  enlisted.last_offset = appended->last_offset;
  enlisted.next_sequence = format::advance_sequence(enlisted.next_sequence, batch.record_count);
  enlisted.needs_sync |= appended->lsn == 0;
  return appended;
}

std::vector<HolderPtr> TransactionCoordinator::holders() const {
  const base::MutexLock lock(known_mutex_);
  std::vector<HolderPtr> all;
  for (const auto& [id, known] : known_) {
    if (known.holder) all.push_back(known.holder);
  }
  return all;
}

Result<> TransactionCoordinator::make_durable(std::uint64_t lsn) {
  if (auto flushed = unflushed_.flush(); !flushed) return flushed;
  return environment_.journal.wait_durable(lsn);
}

bool TransactionCoordinator::is_due(const Holder& holder) const {
  const bool is_overdue =
      holder.phase == Phase::ongoing && environment_.clock.monotonic_ms() >= holder.deadline_ms;
  // An end that is under way holds the mutex: this one has stopped.
  return is_overdue || holder.phase == Phase::committing || holder.phase == Phase::aborting;
}

bool TransactionCoordinator::needs_advancing() const {
  for (const auto& holder : holders()) {
    if (!holder->mutex.try_lock()) continue;
    const bool needs = is_due(*holder);
    holder->mutex.unlock();
    if (needs) return true;
  }
  return releases_.waiting() > 0;
}

Result<> TransactionCoordinator::advance() {
  Result<> outcome;
  for (const auto& holder : holders()) {
    if (!holder->mutex.try_lock()) continue;
    auto ended = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
      return is_due(*holder) ? end(*holder, Ending::timed_out) : Result<>();
    });
    holder->mutex.unlock();
    if (!ended && outcome) outcome = ended;
  }
  releases_.look_again();
  return outcome;
}

Result<> TransactionCoordinator::abort_by_id(std::string_view transactional_id) {
  HolderPtr holder;
  {
    const base::MutexLock lock(known_mutex_);
    const auto found = known_.find(transactional_id);
    if (found == known_.end()) return not_known(transactional_id);
    holder = found->second.holder;
  }
  if (!holder) return {};
  const base::MutexLock lock(holder->mutex);
  return end(*holder, Ending::withdrawn);
}

Result<> TransactionCoordinator::end_all() {
  // A thread that has a holder's mutex later than this one sees it.
  is_closing_.store(true, std::memory_order_release);
  Result<> outcome;
  for (const auto& holder : holders()) {
    const base::MutexLock lock(holder->mutex);
    auto ended =
        base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return end(*holder, Ending::aborted); });
    if (!ended && outcome) outcome = ended;
  }
  return outcome;
}

std::vector<std::string> TransactionCoordinator::forget_unused(std::int64_t older_than_ms) {
  const base::MutexLock lock(known_mutex_);
  std::vector<std::string> forgotten;
  std::erase_if(known_, [&](const auto& entry) {
    const Known& known = entry.second;
    // Only this map has it: nobody can begin anything any more.
    const bool is_held = known.holder && known.holder.use_count() > 1;
    const bool is_settled = !known.holder || known.holder->unsettled_lsn.load() == Holder::all_settled;
    if (is_held || !is_settled || known.record.last_used_ms >= older_than_ms) return false;
    forgotten.push_back(entry.first);
    return true;
  });
  return forgotten;
}

// The thread that staged a decision has said before that it is not settled, and the journal's mutex, which
// was taken for the newest staged LSN, makes that seen.
std::uint64_t TransactionCoordinator::settled_lsn() const {
  std::uint64_t first = Holder::all_settled;
  const base::MutexLock lock(known_mutex_);
  for (const auto& [id, known] : known_) {
    if (known.holder) first = std::min(first, known.holder->unsettled_lsn.load(std::memory_order_acquire));
  }
  return first == Holder::all_settled ? first : first - 1;
}

std::vector<TransactionInfo> TransactionCoordinator::list() const {
  std::vector<TransactionInfo> all;
  std::vector<HolderPtr> open;
  {
    const base::MutexLock lock(known_mutex_);
    for (const auto& [id, known] : known_) {
      all.push_back({.transactional_id = id,
                     .producer_id = known.record.producer_id,
                     .producer_epoch = known.record.producer_epoch,
                     .timeout = std::chrono::milliseconds(known.record.timeout_ms)});
      open.push_back(known.holder);
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!open[i]) continue;
    const base::MutexLock lock(open[i]->mutex);
    const auto identity = open[i]->identity();
    all[i].producer_id = identity.id;
    all[i].producer_epoch = identity.epoch;
    all[i].phase = open[i]->phase;
    if (open[i]->phase == Phase::empty) continue;
    all[i].started_ms = open[i]->started_ms;
    for (const auto& enlisted : open[i]->enlisted) all[i].partitions.push_back(enlisted.partition->name());
  }
  return all;
}

// The ended ones are read first: nothing ends that was not begun.
TransactionCounts TransactionCoordinator::counts() const noexcept {
  TransactionCounts counts{
      .committed = committed_.value(), .aborted = aborted_.value(), .timed_out = timed_out_.value()};
  const std::uint64_t ended = counts.committed + counts.aborted;
  counts.open = std::max(begun_.value(), ended) - ended;
  return counts;
}

std::vector<std::pair<std::string, catalog::TransactionalId>> TransactionCoordinator::changed_ids() const {
  const base::MutexLock lock(known_mutex_);
  std::vector<std::pair<std::string, catalog::TransactionalId>> news;
  for (const auto& [id, known] : known_) {
    if (!known.holder) continue;
    const auto identity = known.holder->identity();
    if (identity == ProducerIdAndEpoch{known.record.producer_id, known.record.producer_epoch}) continue;
    news.emplace_back(id, catalog::TransactionalId{.producer_id = identity.id,
                                                   .producer_epoch = identity.epoch,
                                                   .timeout_ms = known.record.timeout_ms,
                                                   .last_used_ms = environment_.clock.wall_ms()});
  }
  return news;
}

void TransactionCoordinator::mark_stored(
    const std::vector<std::pair<std::string, catalog::TransactionalId>>& news) {
  const base::MutexLock lock(known_mutex_);
  for (const auto& [id, record] : news) {
    const auto found = known_.find(id);
    if (found != known_.end()) found->second.record = record;
  }
}

}  // namespace seriatim::transaction
