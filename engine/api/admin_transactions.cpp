// `Admin`: transactions, producers, and the names of the tables that transactions change.
#include <seriatim/admin.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <seriatim/exception.hpp>

#include "api/admin_impl.hpp"
#include "base/moved_from.hpp"
#include "directory/engine_impl.hpp"
#include "transaction/transaction_errors.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

// Kafka's: what has been open for longer than any transaction may, and this, is hanging.
constexpr std::chrono::minutes hanging_grace{5};

Timestamp at_ms(std::int64_t ms) { return Timestamp{std::chrono::milliseconds{ms}}; }

TransactionState phase_of(transaction::Phase phase) {
  switch (phase) {
    case transaction::Phase::ongoing:
      return TransactionState::ongoing;
    case transaction::Phase::committing:
      return TransactionState::prepare_commit;
    case transaction::Phase::aborting:
      return TransactionState::prepare_abort;
    default:
      return TransactionState::empty;
  }
}

PartitionProducer describe(ProducerId id, const partition::ProducerInfo& producer) {
  return {.producer_id = id,
          .producer_epoch = producer.epoch,
          .last_sequence = producer.batches.empty() ? -1 : producer.batches.newest().last_sequence,
          .last_timestamp = at_ms(producer.last_timestamp_ms),
          .coordinator_epoch = producer.coordinator_epoch,
          .transaction_start_offset = producer.open_first_offset};
}

// The producers that a partition remembers, as of its newest batch.
Result<std::map<ProducerId, partition::ProducerInfo>> producers_of(detail::EngineImpl& engine,
                                                                   const TopicPartition& at) {
  auto log = engine.partition_log(at.topic, at.partition);
  if (!log) return log.error();
  if (auto refreshed = (*log)->refresh(); !refreshed) return refreshed.error();
  return (*log)->producers();
}

// Every transaction that is open in a partition, in the order of the partitions. One that cannot be opened
// has an entry with its damage: it must not hide the others.
Result<std::vector<HangingTransaction>> open_transactions(detail::EngineImpl& engine) {
  auto topics = engine.catalog->topics();
  if (!topics) return topics.error();
  std::vector<HangingTransaction> open;
  for (const auto& topic : *topics) {
    for (PartitionId i = 0; i < topic.partition_count; ++i) {
      const auto producers = producers_of(engine, {topic.name, i});
      // Deleted meanwhile.
      if (!producers && producers.error().code() == Errc::unknown_topic_or_partition) break;
      if (!producers && detail::AdminImpl::is_damage(producers.error())) {
        open.push_back({.topic_partition = {topic.name, i}, .damage = producers.error().message()});
        continue;
      }
      if (!producers) return producers.error();
      for (const auto& [id, producer] : *producers) {
        if (producer.open_first_offset < 0) continue;
        open.push_back({.topic_partition = {topic.name, i}, .producer = describe(id, producer)});
      }
    }
  }
  return open;
}

// The first partition that cannot be opened, and how many others there are: an id may have written to each.
std::optional<std::string> damage_among(const std::vector<HangingTransaction>& open) {
  std::optional<std::string> text;
  std::size_t others = 0;
  for (const auto& at : open) {
    if (!at.damage) continue;
    if (text) {
      ++others;
    } else {
      text = at.topic_partition.topic + "-" + std::to_string(at.topic_partition.partition) +
             " cannot be opened: " + *at.damage;
    }
  }
  if (others > 0) *text += " (and " + std::to_string(others) + " other partitions)";
  return text;
}

// In the writing engine its coordinator knows the transactions; of another process the catalog and the logs
// tell.
Result<std::vector<TransactionDescription>> list(detail::EngineImpl& engine) {
  std::vector<TransactionDescription> all;
  if (engine.coordinator) {
    for (auto& info : engine.coordinator->list()) {
      TransactionDescription one{.transactional_id = std::move(info.transactional_id),
                                 .producer_id = info.producer_id,
                                 .producer_epoch = info.producer_epoch,
                                 .phase = phase_of(info.phase),
                                 .timeout = info.timeout,
                                 .partitions = std::move(info.partitions)};
      if (info.started_ms >= 0) one.start_time = at_ms(info.started_ms);
      std::sort(one.partitions.begin(), one.partitions.end());
      all.push_back(std::move(one));
    }
    return all;
  }
  auto known = engine.catalog->transactional_ids();
  if (!known) return known.error();
  auto open = open_transactions(engine);
  if (!open) return open.error();
  const auto damage = damage_among(*open);
  for (const auto& [id, record] : *known) {
    TransactionDescription one{.transactional_id = id,
                               .producer_id = record.producer_id,
                               .producer_epoch = record.producer_epoch,
                               .timeout = std::chrono::milliseconds(record.timeout_ms),
                               .damage = damage};
    for (const auto& at : *open) {
      if (at.damage || at.producer.producer_id != record.producer_id) continue;
      one.phase = TransactionState::ongoing;
      one.producer_epoch = std::max(one.producer_epoch, at.producer.producer_epoch);
      one.partitions.push_back(at.topic_partition);
    }
    all.push_back(std::move(one));
  }
  return all;
}

// Whether a transaction that is open in a partition is one that its holder, or the engine, is going to end.
bool is_accounted_for(const detail::EngineImpl& engine, const HangingTransaction& open,
                      const TransactionDescription& holder) {
  const auto oldest = at_ms(engine.clock.wall_ms()) - engine.options.transaction_max_timeout - hanging_grace;
  if (engine.is_read_only()) return open.producer.last_timestamp >= oldest;
  return holder.phase != TransactionState::empty && holder.producer_epoch == open.producer.producer_epoch &&
         std::binary_search(holder.partitions.begin(), holder.partitions.end(), open.topic_partition) &&
         holder.start_time.value_or(oldest) >= oldest;
}

// Still open in the same place: it was so all the time.
Result<bool> is_still_open(detail::EngineImpl& engine, const HangingTransaction& open) {
  const auto producers = producers_of(engine, open.topic_partition);
  if (!producers && producers.error().code() == Errc::unknown_topic_or_partition) return false;
  if (!producers) return producers.error();
  const auto found = producers->find(open.producer.producer_id);
  return found != producers->end() &&
         found->second.open_first_offset == open.producer.transaction_start_offset;
}

}  // namespace

Result<std::vector<TransactionDescription>> Admin::list_transactions() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  return list(*engine_);
} catch (...) {
  return current_error();
}

Result<TransactionDescription> Admin::describe_transaction(std::string_view transactional_id) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  auto all = list(*engine_);
  if (!all) return all.error();
  const auto found = std::find_if(all->begin(), all->end(), [&](const TransactionDescription& one) {
    return one.transactional_id == transactional_id;
  });
  if (found == all->end()) return transaction::not_known(transactional_id);
  return std::move(*found);
} catch (...) {
  return current_error();
}

Result<> Admin::abort_transaction(std::string_view transactional_id) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  return engine_->coordinator->abort_by_id(transactional_id);
} catch (...) {
  return current_error();
}

Result<> Admin::fence_producer(std::string_view transactional_id) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  auto described = describe_transaction(transactional_id);
  if (!described) return described.error();
  // A holder that nobody has.
  auto fenced = engine_->coordinator->open(described->transactional_id, described->timeout);
  return fenced ? Result<>() : Result<>(fenced.error());
} catch (...) {
  return current_error();
}

// The partitions first: what is open there and begun by a holder, the holder tells, or has ended since.
Result<std::vector<HangingTransaction>> Admin::find_hanging_transactions() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  auto open = open_transactions(*engine_);
  if (!open) return open.error();
  std::vector<HangingTransaction> hanging;
  if (open->empty()) return hanging;
  auto known = list(*engine_);
  if (!known) return known.error();
  for (auto& candidate : *open) {
    if (candidate.damage) {
      hanging.push_back(std::move(candidate));
      continue;
    }
    const auto holder = std::find_if(known->begin(), known->end(), [&](const TransactionDescription& one) {
      return one.producer_id == candidate.producer.producer_id;
    });
    if (holder != known->end()) {
      if (is_accounted_for(*engine_, candidate, *holder)) continue;
      candidate.transactional_id = holder->transactional_id;
    }
    auto still_open = is_still_open(*engine_, candidate);
    if (!still_open && detail::AdminImpl::is_damage(still_open.error())) {
      hanging.push_back(
          {.topic_partition = candidate.topic_partition, .damage = still_open.error().message()});
      continue;
    }
    if (!still_open) return still_open.error();
    if (*still_open) hanging.push_back(std::move(candidate));
  }
  return hanging;
} catch (...) {
  return current_error();
}

Result<> Admin::abort_hanging_transaction(const TopicPartition& at, Offset start_offset) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  auto hanging = find_hanging_transactions();
  if (!hanging) return hanging.error();
  const auto found = std::find_if(hanging->begin(), hanging->end(), [&](const HangingTransaction& one) {
    return one.topic_partition == at && (one.damage || one.producer.transaction_start_offset == start_offset);
  });
  if (found == hanging->end()) {
    return Error(Errc::invalid_txn_state,
                 "no transaction hangs in " + at.topic + "-" + std::to_string(at.partition) + " at offset " +
                     std::to_string(start_offset) + "; `seriatim txn find-hanging` shows those there are");
  }
  if (found->damage) return Error(Errc::corrupt_metadata, *found->damage);
  auto partition = engine_->partition(at.topic, at.partition);
  if (!partition) return partition.error();
  const ProducerId id = found->producer.producer_id;
  auto marked = engine_->reserve.spend_on([&] {
    return (*partition)
        ->append_marker({.type = format::ControlType::abort,
                         .producer_id = id,
                         .producer_epoch = found->producer.producer_epoch,
                         .timestamp_ms = engine_->clock.wall_ms()},
                        0);
  });
  if (!marked) return marked.error();
  engine_->coordinator->releases().abort(
      {{.partition = partition->get(), .first = marked->ended_first_offset}});
  return (*partition)->wait_durable(*marked);
} catch (...) {
  return current_error();
}

Result<std::vector<PartitionProducer>> Admin::describe_producers(const TopicPartition& at) const try {
  if (!engine_) return base::moved_from("Admin");
  const auto known = producers_of(*engine_, at);
  if (!known) return known.error();
  std::vector<PartitionProducer> producers;
  for (const auto& [id, producer] : *known) producers.push_back(describe(id, producer));
  return producers;
} catch (...) {
  return current_error();
}

Result<std::vector<NamedProducerDescription>> Admin::list_named_producers() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  auto known = engine_->catalog->named_producers();
  if (!known) return known.error();
  std::vector<NamedProducerDescription> producers;
  for (const auto& [name, record] : *known) {
    producers.push_back({.name = name,
                         .producer_id = record.producer_id,
                         .producer_epoch = record.producer_epoch,
                         .create_time = at_ms(record.created_ms),
                         .last_open_time = at_ms(record.last_used_ms)});
  }
  return producers;
} catch (...) {
  return current_error();
}

Result<> Admin::forget_named_producer(std::string_view name) const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto writable = engine_->check_writable(); !writable) return writable;
  return engine_->producer_ids.forget(name);
} catch (...) {
  return current_error();
}

Result<std::vector<std::string>> Admin::list_states() const try {
  if (!engine_) return base::moved_from("Admin");
  if (auto usable = engine_->check_usable(); !usable) return usable.error();
  return engine_->state_tables.names();
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
