// `Transaction`: what is gathered until the commit, and its end.
#include <seriatim/transaction.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <seriatim/exception.hpp>

#include "api/share_group_check.hpp"
#include "base/boundary.hpp"
#include "base/moved_from.hpp"
#include "format/topic_name.hpp"
#include "producer/transaction_impl.hpp"
#include "transaction/transaction_errors.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

std::size_t positions_bytes(std::string_view group, const std::vector<group::PositionCommit>& commits) {
  return format::decided_group_head_bytes +
         format::journal_offsets_bytes(group::journal_offsets(group, commits));
}

std::size_t change_bytes(const TransactionEffects::StateKey& at, const state::StateStore::Value& value) {
  return format::decided_state_head_bytes + at.first.size() + at.second.size() + (value ? value->size() : 0);
}

// The section itself comes with the first of them.
std::size_t deaths_bytes(const ShareDeaths& deaths, bool is_first) {
  return format::decided_deaths_bytes_max(deaths.partition->group().size(), deaths.runs.size()) +
         (is_first ? format::decided_deaths_section_bytes : 0);
}

bool are_ascending(const std::vector<group::OffsetRun>& runs) {
  const bool are_runs = std::all_of(runs.begin(), runs.end(), [](const group::OffsetRun& run) {
    return run.first >= 0 && run.first <= run.last;
  });
  return are_runs && std::adjacent_find(runs.begin(), runs.end(), [](const auto& left, const auto& right) {
                       return left.last >= right.first;
                     }) == runs.end();
}

// Where a group has members, no share group of its name can be made: the usual case takes no look into the
// catalog.
Result<> check_positions_group(const EngineImpl& engine, std::string_view group) {
  bool has_members = false;
  engine.groups.look_at(group, [&](const group::Group& known) { has_members = !known.members().empty(); });
  return has_members ? Result<>() : api::check_consumer_group(engine, group);
}

}  // namespace

void TransactionEffects::describe(format::JournalDecision& decision) const {
  for (const auto& [group, commits] : positions)
    decision.offsets.push_back(group::journal_offsets(group, commits));
  for (const auto& [at, value] : state) {
    auto& change = decision.state.emplace_back();
    change.name = at.first;
    change.key = base::as_bytes(at.second);
    if (value) change.value = *value;
  }
  for (const auto& [partition, runs] : deaths) {
    auto& dead = decision.deaths.emplace_back();
    dead.group = partition->group();
    dead.topic_id = partition->topic_id();
    dead.partition = partition->at().partition;
    for (const group::OffsetRun& run : runs) dead.runs.push_back({run.first, run.last});
  }
}

void TransactionEffects::apply(std::uint64_t lsn) {
  // It may be called again where it throws: what is entered is entered once, or with the same once more.
  for (const auto& [group, commits] : positions) engine.committed_offsets.enter(group, commits, lsn);
  if (!state.empty()) {
    std::vector<catalog::StateChange> changes;
    changes.reserve(state.size());
    for (const auto& [at, value] : state) {
      const auto key = base::as_bytes(at.second);
      changes.push_back({.name = at.first, .key = {key.begin(), key.end()}});
    }
    auto taken = changes.begin();
    for (auto& [at, value] : state) (taken++)->value = std::move(value);
    base::Undoing give_back([&] {
      auto given = changes.begin();
      for (auto& [at, value] : state) value = std::move((given++)->value);
    });
    engine.state_tables.enter(std::move(changes), lsn);
    give_back.keep();
  }
  for (const auto& [partition, runs] : deaths) partition->bury(runs, lsn);
  if (!positions.empty()) engine.counters.offset_commits.add(positions.size());
}

void TransactionEffects::clear() noexcept {
  positions.clear();
  tickets.clear();
  sendings.clear();
  state.clear();
  deaths.clear();
  bytes_taken = 0;
}

TransactionImpl::~TransactionImpl() {
  // The engine's close has ended it; a forked child has nothing of its own.
  if (end_.load(std::memory_order_relaxed) != End::none || !producer->engine->check_usable()) return;
  auto& engine = *producer->engine;
  auto aborted = base::answered([&] { return engine.coordinator->abort(*producer->holder, number); });
  if (aborted || aborted.error().code() == Errc::producer_fenced) return;
  if (aborted.error().code() == Errc::invalid_txn_state)
    return;  // A commit that may have been stored goes on.
  engine.report(LogLevel::error, aborted.error().with_context("aborting a transaction").message());
}

Result<> TransactionImpl::check_open() const {
  if (auto usable = producer->engine->check_usable(); !usable) return usable;
  if (end_.load(std::memory_order_acquire) != End::none)
    return transaction::has_ended(producer->options.transactional_id);
  return {};
}

ProducerImpl::Within TransactionImpl::within() const {
  return {.coordinator = *producer->engine->coordinator,
          .holder = *producer->holder,
          .number = number,
          .durability = producer::durability_of(producer->options.acks)};
}

Result<RecordMetadata> TransactionImpl::send(const ProducerRecord& record) {
  if (auto open = check_open(); !open) return open.error();
  return producer->producer->send_within(within(), record);
}

Result<AppendResult> TransactionImpl::append(const TopicPartition& at, std::span<const Record> records) {
  if (auto open = check_open(); !open) return open.error();
  return producer->producer->append_within(within(), at, records);
}

Result<TransactionEffects*> TransactionImpl::effects() const {
  const auto& coordinator = *producer->engine->coordinator;
  if (auto open = coordinator.check_open(*producer->holder, number); !open) return open.error();
  return producer->effects;
}

Result<> TransactionImpl::check_room(std::int64_t more) const {
  return producer->engine->coordinator->check_room(*producer->holder, more);
}

Result<> TransactionImpl::send_offsets(const TopicPartitionOffsets& offsets,
                                       const ConsumerGroupMetadata& group) {
  if (auto open = check_open(); !open) return open;
  if (auto named = catalog::check_group_name(group.group_id); !named) return named;
  std::vector<group::PositionCommit> positions;
  positions.reserve(offsets.size());
  for (const auto& [at, position] : offsets) {
    auto checked = producer->producer->check_position(at, position);
    if (!checked) return checked.error();
    positions.push_back(*std::move(checked));
  }
  if (auto checked = check_positions_group(*producer->engine, group.group_id); !checked) return checked;
  auto ticket = producer->engine->groups.admit_commit(group, offsets);
  if (!ticket) return ticket.error();
  const base::MutexLock lock(producer->holder->mutex);
  auto changed = effects();
  if (!changed) return changed.error();
  if (positions.empty()) return {};
  const std::size_t bytes = positions_bytes(group.group_id, positions);
  if (auto room = check_room(static_cast<std::int64_t>(bytes)); !room) return room;
  (*changed)->tickets.push_back(*std::move(ticket));
  (*changed)->sendings.push_back(producer->engine->committed_offsets.begin_sending(group.group_id));
  (*changed)->positions.emplace_back(group.group_id, std::move(positions));
  (*changed)->bytes_taken += bytes;
  return {};
}

Result<> TransactionImpl::bury(ShareDeaths deaths) {
  if (auto open = check_open(); !open) return open;
  if (deaths.runs.empty() || !are_ascending(deaths.runs)) {
    return Error(Errc::invalid_argument, "the records that share group \"" + deaths.partition->group() +
                                             "\" gives up are none, or not in ascending order");
  }
  const base::MutexLock lock(producer->holder->mutex);
  auto changed = effects();
  if (!changed) return changed.error();
  const std::size_t bytes = deaths_bytes(deaths, (*changed)->deaths.empty());
  if (auto room = check_room(static_cast<std::int64_t>(bytes)); !room) return room;
  (*changed)->deaths.push_back(std::move(deaths));
  (*changed)->bytes_taken += bytes;
  return {};
}

Result<> TransactionImpl::check_table(const std::string& name, bool is_own) {
  if (is_own || !format::is_own_name(name)) return {};
  // One that has keys already is the application's, of a time when it could choose such names.
  if (auto usable = producer->engine->check_usable(); !usable) return usable;
  auto first = producer->engine->state_tables.scan(name, {}, 1);
  if (!first) return first.error();
  if (!first->empty()) return {};
  return Error(Errc::invalid_argument,
               "state table \"" + name +
                   "\" begins with \"__\": such names are kept for tables of the library itself; choose one "
                   "that begins otherwise");
}

Result<> TransactionImpl::change_state(const std::string& name, BytesView key,
                                       state::StateStore::Value value) {
  if (auto open = check_open(); !open) return open;
  catalog::StateChange change{
      .name = name, .key = {key.bytes().begin(), key.bytes().end()}, .value = std::move(value)};
  if (auto checked = catalog::check_state_change(change); !checked) return checked;
  const base::MutexLock lock(producer->holder->mutex);
  auto changed = effects();
  if (!changed) return changed.error();
  TransactionEffects& effects = **changed;
  const TransactionEffects::StateKey at{name, std::string(key.text())};
  const auto known = effects.state.find(at);
  const std::size_t before = known == effects.state.end() ? 0 : change_bytes(at, known->second);
  const std::size_t after = change_bytes(at, change.value);
  if (auto room = check_room(static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before)); !room)
    return room;
  effects.state[at] = std::move(change.value);
  effects.bytes_taken += after - before;
  return {};
}

Result<std::optional<std::vector<std::byte>>> TransactionImpl::state_value(const std::string& name,
                                                                           BytesView key) {
  if (auto open = check_open(); !open) return open.error();
  {
    const base::MutexLock lock(producer->holder->mutex);
    auto changed = effects();
    if (!changed) return changed.error();
    const auto found = (*changed)->state.find({name, std::string(key.text())});
    if (found != (*changed)->state.end()) return found->second;
  }
  return producer->engine->state_tables.value(name, key.bytes());
}

Result<> TransactionImpl::commit() {
  // Behind an outcome that is not known the engine goes on with the commit by itself: no refusal makes it
  // undone, and it stages nothing more that would need room.
  const bool is_asked_again = is_decision_sought_.load(std::memory_order_acquire);
  if (auto usable = producer->engine->check_usable(); !usable)
    return is_asked_again ? usable.error().with_outcome(Outcome::unknown) : usable.error();
  switch (end_.load(std::memory_order_acquire)) {
    case End::committed:
      return {};
    case End::aborted:
      return transaction::has_ended(producer->options.transactional_id);
    case End::none:
      break;
  }
  if (!is_asked_again) {
    if (auto admitted = producer->engine->journal_limit.admit(); !admitted) return admitted;
  }
  auto committed = producer->engine->coordinator->commit(*producer->holder, number,
                                                         producer::durability_of(producer->options.acks));
  if (committed) end_.store(End::committed, std::memory_order_release);
  if (!committed && committed.error().outcome() == Outcome::unknown)
    is_decision_sought_.store(true, std::memory_order_release);
  return committed;
}

Result<> TransactionImpl::abort() {
  if (auto usable = producer->engine->check_usable(); !usable) return usable;
  switch (end_.load(std::memory_order_acquire)) {
    case End::committed:
      return transaction::was_committed(producer->options.transactional_id);
    case End::aborted:
      return {};
    case End::none:
      break;
  }
  auto aborted = producer->engine->coordinator->abort(*producer->holder, number);
  const bool is_over = aborted || aborted.error().code() == Errc::producer_fenced;
  if (is_over) end_.store(End::aborted, std::memory_order_release);
  return aborted;
}

bool TransactionImpl::is_open() const {
  return check_open() && producer->engine->coordinator->is_open(*producer->holder, number);
}

}  // namespace detail

Transaction::Transaction(std::unique_ptr<detail::TransactionImpl> impl) noexcept : impl_(std::move(impl)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

Result<RecordMetadata> Transaction::send(const ProducerRecord& record) try {
  if (!impl_) return base::moved_from("Transaction");
  return impl_->send(record);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<AppendResult> Transaction::append(const TopicPartition& at, std::span<const Record> records) try {
  if (!impl_) return base::moved_from("Transaction");
  return impl_->append(at, records);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<> Transaction::send_offsets(const TopicPartitionOffsets& offsets,
                                   const ConsumerGroupMetadata& group) try {
  if (!impl_) return base::moved_from("Transaction");
  return impl_->send_offsets(offsets, group);
} catch (...) {
  return current_error();
}
TransactionTable Transaction::state(std::string_view name) & {
  return TransactionTable(impl_.get(), std::string(name), false);
}
TransactionTable Transaction::own_state(std::string_view name) & {
  return TransactionTable(impl_.get(), std::string(name), true);
}
Result<> Transaction::commit() try {
  if (!impl_) return base::moved_from("Transaction");
  return impl_->commit();
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<> Transaction::abort() try {
  if (!impl_) return base::moved_from("Transaction");
  return impl_->abort();
} catch (...) {
  return current_error();
}
bool Transaction::is_open() const noexcept { return impl_ && impl_->is_open(); }

TransactionTable::TransactionTable(detail::TransactionImpl* impl, std::string name, bool is_own) noexcept
    : impl_(impl), name_(std::move(name)), is_own_(is_own) {}

Result<> TransactionTable::put(BytesView key, BytesView value) try {
  if (!impl_) return base::moved_from("TransactionTable");
  if (value.is_null()) {
    return Error(Errc::invalid_argument,
                 "the value for a key of state " + name_ + " is null; use erase to take the key away");
  }
  if (auto allowed = impl_->check_table(name_, is_own_); !allowed) return allowed;
  return impl_->change_state(name_, key, std::vector<std::byte>(value.bytes().begin(), value.bytes().end()));
} catch (...) {
  return current_error();
}
Result<> TransactionTable::erase(BytesView key) try {
  if (!impl_) return base::moved_from("TransactionTable");
  return impl_->change_state(name_, key, std::nullopt);
} catch (...) {
  return current_error();
}
Result<std::optional<std::vector<std::byte>>> TransactionTable::get(BytesView key) const try {
  if (!impl_) return base::moved_from("TransactionTable");
  return impl_->state_value(name_, key);
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
