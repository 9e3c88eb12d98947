// The common part of the workloads of the crash simulation: which partition, which lengths, and the
// operations to topics whatever is in them. Each operation is told to the model before it begins (what may be
// there) and when it was acknowledged (what must be).
#pragma once

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/power_recovery.hpp"
#include "support/random.hpp"

namespace seriatim::test {

/// The names of topics say what they are: this one is compacted, "r" has little room, "a" two partitions.
inline constexpr std::string_view compacted_topic = "c";

/// @tparam Model  with `topics`, whose partitions have a log start, an end, and what of them survives.
template <class Model>
class PowerUpkeep {
 public:
  /// Records that the engine calls durable must survive from here on.
  void note_durable() {
    for (const auto& [name, topic] : model_.topics) note_durable(name);
  }

 protected:
  using TopicOf = typename decltype(Model::topics)::mapped_type;
  using PartitionOf = typename decltype(TopicOf::partitions)::value_type;

  struct At {
    std::string topic{};
    PartitionId partition = 0;
    PartitionOf* model = nullptr;
    TopicPartition name() const { return {topic, partition}; }
    std::string text() const { return topic + "-" + std::to_string(partition); }
  };

  /// @param history  gets a line for each operation before it begins.
  PowerUpkeep(Engine engine, Model& model, Random& random, std::vector<std::string>& history)
      : engine_(std::move(engine)),
        admin_(engine_.admin()),
        model_(model),
        random_(random),
        history_(history) {}

  void begin(std::string operation) { history_.push_back(std::move(operation)); }
  static std::string name_of(Acks acks) { return acks == Acks::all ? ", all" : ", leader"; }

  At some_partition() {
    auto topic = model_.topics.begin();
    std::advance(topic, random_.between(0, std::ssize(model_.topics) - 1));
    const auto partition = random_.between(0, std::ssize(topic->second.partitions) - 1);
    return {topic->first, static_cast<PartitionId>(partition),
            &topic->second.partitions[static_cast<std::size_t>(partition)]};
  }
  Acks some_acks() { return random_.one_in(2) ? Acks::all : Acks::leader; }
  const std::string& some_group() { return power_groups[static_cast<std::size_t>(random_.between(0, 1))]; }
  Offset some_position(const At& at) {
    return random_.one_in(2) ? at.model->end : random_.between(0, at.model->end);
  }

  void note_durable(const std::string& topic) {
    auto& partitions = model_.topics.at(topic).partitions;
    for (const auto& shown : needed(admin_.describe_topic(topic)).partitions) {
      auto& partition = partitions[static_cast<std::size_t>(shown.partition)];
      partition.survives_power_cut = std::max(partition.survives_power_cut, shown.durable_offset);
    }
  }

  // Where a crash has taken batches, mostly in their lengths once more.
  std::vector<std::size_t> sizes_for(PartitionOf& partition) {
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

  // Used once in a process.
  static std::int64_t next_serial() {
    static std::int64_t serial = 0;
    return ++serial;
  }

  // Unlike any other, in a later topic of the same name too.
  std::string next_value(const At& at, std::size_t size) {
    const std::int64_t serial = next_serial();
    std::string value = at.text() + "#" + std::to_string(model_.topics.at(at.topic).incarnation + 1000) +
                        " " + std::to_string(serial + 1'000'000) + " ";
    value.resize(size, static_cast<char>('a' + serial % 26));
    return value;
  }

  // The model has them already, from `base` on.
  template <class Producing>
  void append(const At& at, Offset base, const std::vector<Record>& records, const std::string& how,
              Producing& producer) {
    begin("append " + at.text() + " [" + std::to_string(base) + ", " + std::to_string(at.model->end) +
          ") of " + std::to_string(records.front().value.size()) + " bytes" + how);
    const auto appended = needed(producer.append(at.name(), records));
    if (appended.base_offset != base || appended.last_offset + 1 != at.model->end)
      throw CrashFault(at.text() + ": appended at " + std::to_string(appended.base_offset) + ", not at " +
                       std::to_string(base));
    at.model->survives_kill = at.model->end;
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
        needed(impl->checkpointer->checkpoint());
        return model_.everything_survives();
      case 2:
        begin("prepare a journal file");
        if (impl->journal->stats().files > 0) needed(impl->journal->prepare_next());
        return;
      default:
        begin("store offsets and state");
        needed(impl->checkpointer->store_commits());
        // Shown to other processes, no more: what was committed at `leader` can still be lost.
    }
  }

  void roll() {
    const At at = some_partition();
    begin("roll " + at.text());
    needed(needed(detail::EngineImpl::of(engine_)->partition(at.topic, at.partition))->roll());
    note_durable(at.topic);
  }

  void retain(const std::string& topic) {
    for (auto& partition : model_.topics.at(topic).partitions) partition.start_max = partition.end;
    begin("retention of " + topic);
    needed(admin_.apply_retention(topic));
    note_starts(topic);
  }

  // Of those below an offset that is not beyond `limit`.
  void delete_records(const At& at, Offset limit) {
    const Offset target = random_.between(at.model->start_max, limit);
    at.model->start_max = target;
    begin("delete records of " + at.text() + " below " + std::to_string(target));
    needed(admin_.delete_records(at.name(), target));
    note_starts(at.topic);
    if (at.model->start != target)
      throw CrashFault(at.text() + ": the log starts at " + std::to_string(at.model->start) + ", not at " +
                       std::to_string(target));
  }

  /// @param names  of the topics that come and go.
  void create_or_delete(std::span<const std::string_view> names) {
    const std::string name(names[static_cast<std::size_t>(random_.between(0, std::ssize(names) - 1))]);
    if (!model_.topics.contains(name)) return create(name);
    if (!random_.one_in(3)) return;
    model_.topics.at(name).may_be_missing = true;
    begin("delete topic " + name);
    needed(admin_.delete_topic(name));
    model_.topics.erase(name);
    if (random_.one_in(2)) create(name);
  }

  Engine engine_;
  Admin admin_;
  Model& model_;
  Random& random_;

 private:
  void note_starts(const std::string& topic) {
    auto& partitions = model_.topics.at(topic).partitions;
    for (const auto& shown : needed(admin_.describe_topic(topic)).partitions) {
      auto& partition = partitions[static_cast<std::size_t>(shown.partition)];
      if (shown.log_start_offset > shown.last_stable_offset)
        throw CrashFault(topic + "-" + std::to_string(shown.partition) +
                         ": the log starts behind the last stable offset (INV-9)");
      partition.start = partition.start_max = shown.log_start_offset;
    }
    note_durable(topic);
  }

  void create(const std::string& name) {
    ConfigMap config{{"segment.bytes", "4096"},
                     {"index.interval.bytes", "256"},
                     {"segment.index.bytes", "240"},
                     {"retention.ms", "-1"}};
    if (name == compacted_topic) config["cleanup.policy"] = "compact";
    if (name == "r") config["retention.bytes"] = "5000";
    const PartitionId partitions = name == "a" ? 2 : 1;
    TopicOf made{.incarnation = ++model_.incarnations, .may_be_missing = true};
    made.partitions.resize(static_cast<std::size_t>(partitions));
    model_.topics[name] = std::move(made);
    begin("create topic " + name);
    needed(admin_.create_topic({.name = name, .partition_count = partitions, .config = std::move(config)}));
    model_.topics.at(name).may_be_missing = false;
  }

  std::vector<std::string>& history_;
};

}  // namespace seriatim::test
