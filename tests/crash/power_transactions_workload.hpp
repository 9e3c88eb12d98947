// Random transactions, and plain producers, commits and upkeep beside them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/power_transactions_model.hpp"
#include "crash/power_upkeep.hpp"

namespace seriatim::test {

/// How often what is done, in parts of the sum.
struct TransactionWeights {
  int write = 30;   ///< A batch in a transaction, which begins with it.
  int effect = 12;  ///< Positions or state in a transaction.
  int end = 16;     ///< Commit, mostly.
  int holder = 3;   ///< An id is opened again, or what is open times out.
  int plain = 16;   ///< A batch without a transaction.
  int position = 6;
  int sync = 8;
  int roll = 3;
  int upkeep = 3;
  int topics = 3;
  int sum() const { return write + effect + end + holder + plain + position + sync + roll + upkeep + topics; }
};

class TransactionWorkload : public PowerUpkeep<TransactionModel> {
 public:
  TransactionWorkload(Engine engine, TransactionModel& model, Random& random,
                      std::vector<std::string>& history, base::ManualClock& clock)
      : PowerUpkeep(std::move(engine), model, random, history), clock_(clock) {}

  void step(const TransactionWeights& weights) {
    std::int64_t drawn = random_.between(1, weights.sum());
    const auto is = [&](int weight) { return (drawn -= weight) <= 0; };
    if (model_.topics.empty()) return create_or_delete(topics);
    if (is(weights.write)) return write();
    if (is(weights.effect)) return effect();
    if (is(weights.end)) return end();
    if (is(weights.holder)) return random_.one_in(2) ? reopen() : time_out();
    if (is(weights.plain)) return append_plain();
    if (is(weights.position)) return commit_position();
    if (is(weights.sync)) return sync();
    if (is(weights.roll)) return roll();
    if (is(weights.upkeep)) return upkeep();
    create_or_delete(topics);
  }

  /// Notes the engine's state once it was opened: its recovery has ended all open transactions.
  void note_durable() { note_ends(); }

 private:
  using PowerUpkeep::note_durable;
  static constexpr std::string_view topics[] = {"a", "b", "r"};
  static constexpr std::chrono::milliseconds timeout{1000};
  // A transactional id, and what it has open.
  struct Slot {
    std::string id{};
    Acks acks = Acks::all;
    std::optional<TransactionalProducer> producer{};
    std::optional<Transaction> open{};
    std::ptrdiff_t number = -1;
    bool is_empty = true;
    CommitStep step{};
  };

  // Markers were appended.
  void note_ends() {
    for (auto& [name, topic] : model_.topics) {
      for (const auto& shown : needed(admin_.describe_topic(name)).partitions)
        topic.partitions[static_cast<std::size_t>(shown.partition)].end = shown.log_end_offset;
      note_durable(name);
    }
    for (const auto& slot : slots_) {
      if (slot.producer) note_identity(slot);
    }
  }
  void note_identity(const Slot& slot) {
    auto& identity = model_.ids[slot.id];
    identity.producer_id = slot.producer->producer_id();
    identity.newest = std::max(identity.newest, slot.producer->producer_epoch());
  }

  // Enters it into the model.
  std::vector<std::string> make_batch(const At& at, std::ptrdiff_t transaction) {
    const std::int64_t batch = next_serial();
    std::vector<std::string> values;
    for (const std::size_t size : sizes_for(*at.model)) {
      std::string value = next_value(at, size);
      at.model->records[at.model->end++] = {value, transaction, batch};
      values.push_back(std::move(value));
    }
    return values;
  }
  template <class Producing>
  void append_to(const At& at, std::ptrdiff_t transaction, const std::string& how, Producing& producer) {
    const Offset base = at.model->end;
    const auto values = make_batch(at, transaction);
    std::vector<Record> records;
    for (const std::string& value : values) records.push_back({.value = value});
    append(at, base, records, how, producer);
  }

  void append_plain() {
    const At at = some_partition();
    const Acks acks = some_acks();
    auto& producer = producers_[acks];
    if (!producer) producer.emplace(needed(engine_.producer({.acks = acks})));
    append_to(at, -1, name_of(acks), *producer);
    if (acks == Acks::all) at.model->survives_power_cut = at.model->end;
    note_durable(at.topic);
  }

  void open(Slot& slot) {
    slot.acks = some_acks();
    begin("open " + slot.id + name_of(slot.acks));
    slot.producer.emplace(needed(engine_.transactional_producer(
        {.transactional_id = slot.id, .acks = slot.acks, .transaction_timeout = timeout})));
    auto& identity = model_.ids[slot.id];
    if (identity.producer_id == slot.producer->producer_id() &&
        slot.producer->producer_epoch() <= identity.newest)
      throw CrashFault(slot.id + " was opened with epoch " + std::to_string(slot.producer->producer_epoch()) +
                       " after " + std::to_string(identity.newest));
    identity.opened = slot.producer->producer_epoch();
    note_identity(slot);
  }

  // One of those with a transaction open.
  Slot& open_slot() {
    Slot& slot = slots_[static_cast<std::size_t>(random_.between(0, std::ssize(slots_) - 1))];
    if (!slot.producer) open(slot);
    if (slot.open) return slot;
    slot.open.emplace(needed(slot.producer->begin()));
    slot.number = std::ssize(model_.is_settled);
    slot.step = {.transaction = slot.number};
    slot.is_empty = true;
    model_.is_settled.push_back(false);
    model_.carriers.emplace_back(slot.id, slot.producer->producer_epoch());
    return slot;
  }
  std::string text_of(const Slot& slot) const {
    return slot.id + "'s transaction " + std::to_string(slot.number);
  }

  void write() {
    Slot& slot = open_slot();
    slot.is_empty = false;
    const At at = some_partition();
    append_to(at, slot.number, " in " + text_of(slot), *slot.open);
    note_durable(at.topic);
  }

  void effect() {
    Slot& slot = open_slot();
    slot.is_empty = false;
    if (random_.one_in(2)) {
      const At at = some_partition();
      const std::string& group = some_group();
      const Offset offset = some_position(at);
      begin("send " + group + " at " + std::to_string(offset) + " of " + at.text() + " in " + text_of(slot));
      needed(slot.open->send_offsets({{at.name(), {.offset = offset}}}, {.group_id = group}));
      slot.step.changes[position(at, group)] = std::to_string(offset);
      return;
    }
    const std::string key = "k" + std::to_string(random_.between(0, 3));
    auto table = slot.open->state("s");
    if (random_.one_in(4)) {
      begin("erase " + key + " in " + text_of(slot));
      needed(table.erase(key));
      slot.step.changes[{.key = key}] = std::nullopt;
      return;
    }
    const std::string value = std::to_string(next_serial());
    begin("put " + key + " = " + value + " in " + text_of(slot));
    needed(table.put(key, value));
    slot.step.changes[{.key = key}] = value;
  }
  FactName position(const At& at, const std::string& group) const {
    return {at.topic, model_.topics.at(at.topic).incarnation, at.partition, group};
  }

  void end() {
    Slot& slot = open_slot();
    if (random_.one_in(4)) {
      begin("abort " + text_of(slot));
      if (random_.one_in(2)) needed(slot.open->abort());
      slot.open.reset();
      return note_ends();
    }
    if (!slot.is_empty) model_.steps.push_back(slot.step);
    begin("commit " + text_of(slot) + name_of(slot.acks) + (slot.is_empty ? ", empty" : ""));
    needed(slot.open->commit());
    if (!slot.is_empty) committed(slot.acks);
    slot.open.reset();
    if (slot.acks == Acks::all) records_survive(slot.number);
    note_ends();
  }
  void committed(Acks acks) {
    model_.steps_survive_kill = model_.steps.size();
    if (acks == Acks::all) model_.steps_are_durable();
  }
  void records_survive(std::ptrdiff_t transaction) {
    for (auto& [name, topic] : model_.topics) {
      for (auto& partition : topic.partitions) {
        for (const auto& [offset, record] : partition.records) {
          if (record.transaction == transaction)
            partition.survives_power_cut = std::max(partition.survives_power_cut, offset + 1);
        }
      }
    }
  }

  void reopen() {  // The earlier holder is fenced, and its open transaction aborted.
    Slot& slot = slots_[static_cast<std::size_t>(random_.between(0, std::ssize(slots_) - 1))];
    auto older = std::move(slot.producer);
    auto zombie = std::move(slot.open);
    slot.producer.reset();
    slot.open.reset();
    if (older) model_.ids[slot.id].newest = std::max(model_.ids[slot.id].newest, older->producer_epoch());
    open(slot);
    if (zombie) expect(zombie->commit(), Errc::producer_fenced);
    if (older) expect(older->begin(), Errc::producer_fenced);
    note_ends();
  }
  void time_out() {
    begin("time out");
    clock_.advance_ms(timeout.count());
    needed(detail::EngineImpl::of(engine_)->coordinator->advance());
    for (Slot& slot : slots_) {
      if (slot.open) expect(slot.open->commit(), Errc::transaction_abortable);
      slot.open.reset();
    }
    note_ends();
  }
  template <class Outcome>
  static void expect(const Outcome& outcome, Errc fault) {
    if (outcome) throw CrashFault("what had to be refused was done");
    if (outcome.error().code() != fault) throw CrashFault("refused otherwise: " + outcome.error().message());
  }

  void commit_position() {
    const At at = some_partition();
    const std::string& group = some_group();
    const Offset offset = some_position(at);
    const Acks acks = some_acks();
    model_.steps.push_back({.changes = {{position(at, group), std::to_string(offset)}}});
    begin("commit " + group + " at " + std::to_string(offset) + " of " + at.text() + name_of(acks));
    Consumer consumer = needed(engine_.consumer({.group_id = group, .commit_acks = acks}));
    needed(consumer.commit_sync({{at.name(), {.offset = offset}}}));
    committed(acks);
  }

  void upkeep() {
    const At at = some_partition();
    if (random_.one_in(2)) return retain(at.topic);
    const auto described = needed(admin_.describe_topic(at.topic));
    delete_records(at, described.partitions[static_cast<std::size_t>(at.partition)].last_stable_offset);
  }

  base::ManualClock& clock_;
  std::map<Acks, std::optional<Producer>> producers_{};
  std::array<Slot, 3> slots_{Slot{.id = "one"}, Slot{.id = "two"}, Slot{.id = "three"}};
};

}  // namespace seriatim::test
