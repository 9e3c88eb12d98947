// Random transactions, and plain producers, commits and upkeep beside them, each told to the model before it
// begins (what may be there) and when it was acknowledged (what must be).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crash/power_recovery.hpp"
#include "crash/power_transactions_model.hpp"
#include "support/random.hpp"

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

class TransactionWorkload {
 public:
  /// @param history  gets a line for each operation before it begins.
  TransactionWorkload(Engine engine, TransactionModel& model, Random& random,
                      std::vector<std::string>& history, base::ManualClock& clock)
      : engine_(std::move(engine)),
        admin_(engine_.admin()),
        model_(model),
        random_(random),
        history_(history),
        clock_(clock) {}

  void step(const TransactionWeights& weights) {
    std::int64_t drawn = random_.between(1, weights.sum());
    const auto is = [&](int weight) { return (drawn -= weight) <= 0; };
    if (model_.topics.empty()) return create_or_delete();
    if (is(weights.write)) return write();
    if (is(weights.effect)) return effect();
    if (is(weights.end)) return end();
    if (is(weights.holder)) return random_.one_in(2) ? reopen() : time_out();
    if (is(weights.plain)) return append_plain();
    if (is(weights.position)) return commit_position();
    if (is(weights.sync)) return sync();
    if (is(weights.roll)) return roll();
    if (is(weights.upkeep)) return upkeep();
    create_or_delete();
  }

  /// What the engine calls durable must survive from here on.
  void note_durable() {
    for (const auto& [name, topic] : model_.topics) note_durable(name);
  }

 private:
  static constexpr std::chrono::milliseconds timeout{1000};
  struct At {
    std::string topic{};
    PartitionId partition = 0;
    TransactionPartition* model = nullptr;
    TopicPartition name() const { return {topic, partition}; }
    std::string text() const { return topic + "-" + std::to_string(partition); }
  };
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

  void begin(std::string operation) { history_.push_back(std::move(operation)); }
  static std::string name_of(Acks acks) { return acks == Acks::all ? ", all" : ", leader"; }

  At some_partition() {
    auto topic = model_.topics.begin();
    std::advance(topic, random_.between(0, std::ssize(model_.topics) - 1));
    const auto partition = random_.between(0, std::ssize(topic->second.partitions) - 1);
    return {topic->first, static_cast<PartitionId>(partition),
            &topic->second.partitions[static_cast<std::size_t>(partition)]};
  }

  void note_durable(const std::string& topic) {
    auto& partitions = model_.topics.at(topic).partitions;
    for (const auto& shown : needed(admin_.describe_topic(topic)).partitions) {
      auto& partition = partitions[static_cast<std::size_t>(shown.partition)];
      partition.end = shown.log_end_offset;
      partition.survives_power_cut = std::max(partition.survives_power_cut, shown.durable_offset);
    }
  }

  // Markers were appended.
  void note_ends() {
    note_durable();
    for (const auto& slot : slots_) {
      if (slot.producer) note_identity(slot);
    }
  }
  void note_identity(const Slot& slot) {
    auto& identity = model_.ids[slot.id];
    identity.producer_id = slot.producer->producer_id();
    identity.newest = std::max(identity.newest, slot.producer->producer_epoch());
  }

  // Where a crash has taken batches, mostly in their lengths once more.
  std::vector<std::size_t> sizes_for(TransactionPartition& partition) {
    if (!partition.lost.empty() && !random_.one_in(5)) {
      auto sizes = partition.lost.front();
      partition.lost.erase(partition.lost.begin());
      return sizes;
    }
    partition.lost.clear();
    constexpr std::size_t of_values[] = {40, 40, 120, 450, 450, 1000, 2500};
    const std::size_t size = of_values[random_.between(0, 6)];
    return std::vector<std::size_t>(size > 1000 || !random_.one_in(3) ? 1 : 3, size);
  }

  // Enters it into the model.
  std::vector<std::string> make_batch(const At& at, std::ptrdiff_t transaction) {
    const std::int64_t batch = ++serial_;
    std::vector<std::string> values;
    for (const std::size_t size : sizes_for(*at.model)) {
      std::string value = at.text() + "#" + std::to_string(model_.topics.at(at.topic).incarnation) + " " +
                          std::to_string(++serial_ + 1'000'000) + " ";
      value.resize(size, static_cast<char>('a' + serial_ % 26));
      at.model->records[at.model->end++] = {value, transaction, batch};
      values.push_back(std::move(value));
    }
    return values;
  }
  template <class Producing>
  void append(const At& at, std::ptrdiff_t transaction, const std::string& whose, Producing& producer) {
    const Offset base = at.model->end;
    const auto values = make_batch(at, transaction);
    std::vector<Record> records;
    for (const std::string& value : values) records.push_back({.value = value});
    begin("append " + at.text() + " [" + std::to_string(base) + ", " + std::to_string(at.model->end) +
          ") of " + std::to_string(values.front().size()) + " bytes" + whose);
    const auto appended = needed(producer.append(at.name(), records));
    if (appended.base_offset != base || appended.last_offset + 1 != at.model->end)
      throw CrashFault(at.text() + ": appended at " + std::to_string(appended.base_offset) + ", not at " +
                       std::to_string(base));
    at.model->survives_kill = at.model->end;
  }

  void append_plain() {
    const At at = some_partition();
    const Acks acks = random_.one_in(2) ? Acks::all : Acks::leader;
    auto& producer = producers_[acks];
    if (!producer) producer.emplace(needed(engine_.producer({.acks = acks})));
    append(at, -1, name_of(acks), *producer);
    if (acks == Acks::all) at.model->survives_power_cut = at.model->end;
    note_durable(at.topic);
  }

  void open(Slot& slot) {
    slot.acks = random_.one_in(2) ? Acks::all : Acks::leader;
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
    append(at, slot.number, " in " + text_of(slot), *slot.open);
    note_durable(at.topic);
  }

  void effect() {
    Slot& slot = open_slot();
    slot.is_empty = false;
    if (random_.one_in(2)) {
      const At at = some_partition();
      const std::string& group = power_groups[static_cast<std::size_t>(random_.between(0, 1))];
      const Offset offset = random_.one_in(2) ? at.model->end : random_.between(0, at.model->end);
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
    const std::string value = std::to_string(++serial_);
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

  void reopen() {  // Whoever had it is fenced, and what that had open is aborted.
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
    needed(detail::EngineImpl::of(engine_)->coordinator->tend());
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
    const std::string& group = power_groups[static_cast<std::size_t>(random_.between(0, 1))];
    const Offset offset = random_.one_in(2) ? at.model->end : random_.between(0, at.model->end);
    const Acks acks = random_.one_in(2) ? Acks::all : Acks::leader;
    model_.steps.push_back({.changes = {{position(at, group), std::to_string(offset)}}});
    begin("commit " + group + " at " + std::to_string(offset) + " of " + at.text() + name_of(acks));
    Consumer consumer = needed(engine_.consumer({.group_id = group, .commit_acks = acks}));
    needed(consumer.commit_sync({{at.name(), {.offset = offset}}}));
    committed(acks);
  }

  void sync() {
    const auto& impl = detail::EngineImpl::of(engine_);
    switch (random_.between(0, 3)) {
      case 0:
        begin("flush");
        needed(engine_.flush());
        return model_.everything_survives();
      case 1:
        begin("checkpoint");
        needed(impl->checkpoint());
        return model_.everything_survives();
      case 2:
        begin("prepare a journal file");
        if (impl->journal->stats().files > 0) needed(impl->journal->prepare_next());
        return;
      default:
        begin("store offsets and state");
        return needed(impl->store_commits());
    }
  }

  void roll() {
    const At at = some_partition();
    begin("roll " + at.text());
    needed(needed(detail::EngineImpl::of(engine_)->partition(at.topic, at.partition))->roll());
    note_durable(at.topic);
  }

  void upkeep() {
    const At at = some_partition();
    auto& partitions = model_.topics.at(at.topic).partitions;
    if (random_.one_in(2)) {
      for (auto& partition : partitions) partition.start_max = partition.end;
      begin("retention of " + at.topic);
      needed(admin_.apply_retention(at.topic));
    } else {
      const auto described = needed(admin_.describe_topic(at.topic));
      const Offset stable = described.partitions[static_cast<std::size_t>(at.partition)].last_stable_offset;
      const Offset target = random_.between(at.model->start_max, stable);
      at.model->start_max = target;
      begin("delete records of " + at.text() + " below " + std::to_string(target));
      needed(admin_.delete_records(at.name(), target));
    }
    for (const auto& shown : needed(admin_.describe_topic(at.topic)).partitions) {
      auto& partition = partitions[static_cast<std::size_t>(shown.partition)];
      if (shown.log_start_offset > shown.last_stable_offset)
        throw CrashFault(at.text() + ": the log starts behind the last stable offset (INV-9)");
      partition.start = partition.start_max = shown.log_start_offset;
    }
    note_durable(at.topic);
  }

  void create_or_delete() {
    constexpr std::string_view names[] = {"a", "b", "r"};
    const std::string name(names[random_.between(0, 2)]);
    if (!model_.topics.contains(name)) return create(name);
    if (!random_.one_in(3)) return;
    model_.topics.at(name).may_be_missing = true;
    begin("delete topic " + name);
    needed(admin_.delete_topic(name));
    model_.topics.erase(name);
    if (random_.one_in(2)) create(name);
  }

  void create(const std::string& name) {
    ConfigMap config{{"segment.bytes", "4096"},
                     {"index.interval.bytes", "256"},
                     {"segment.index.bytes", "240"},
                     {"retention.ms", "-1"}};
    if (name == "r") config["retention.bytes"] = "5000";
    const PartitionId partitions = name == "a" ? 2 : 1;
    TransactionTopic made{.incarnation = ++model_.incarnations, .may_be_missing = true};
    made.partitions.resize(static_cast<std::size_t>(partitions));
    model_.topics[name] = std::move(made);
    begin("create topic " + name);
    needed(admin_.create_topic({.name = name, .partition_count = partitions, .config = std::move(config)}));
    model_.topics.at(name).may_be_missing = false;
  }

  Engine engine_;
  Admin admin_;
  TransactionModel& model_;
  Random& random_;
  std::vector<std::string>& history_;
  base::ManualClock& clock_;
  std::map<Acks, std::optional<Producer>> producers_{};
  std::array<Slot, 3> slots_{Slot{.id = "one"}, Slot{.id = "two"}, Slot{.id = "three"}};
  static inline std::int64_t serial_ = 0;  ///< Used once in a process.
};

}  // namespace seriatim::test
