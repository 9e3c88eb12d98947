// Random operations on an engine, each told to the model before it begins (what may be there) and when it was
// acknowledged (what must be).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crash/power_recovery.hpp"
#include "support/random.hpp"

namespace seriatim::test {

/// How often what is done, in parts of the sum.
struct PowerWeights {
  int append = 40;
  int commit = 12;
  int sync = 8;  ///< flush, checkpoint, a journal file or positions as the background would.
  int roll = 4;
  int upkeep = 6;  ///< Retention, delete_records, compaction.
  int topics = 4;  ///< One is created or deleted.
  int sum() const { return append + commit + sync + roll + upkeep + topics; }
};

class PowerWorkload {
 public:
  /// @param history  gets a line for each operation before it begins.
  PowerWorkload(Engine engine, Model& model, Random& random, std::vector<std::string>& history,
                base::ManualClock&)
      : engine_(std::move(engine)),
        admin_(engine_.admin()),
        model_(model),
        random_(random),
        history_(history) {}

  void step(const PowerWeights& weights) {
    std::int64_t drawn = random_.between(1, weights.sum());
    const auto is = [&](int weight) { return (drawn -= weight) <= 0; };
    if (model_.topics.empty()) return create_or_delete();
    if (is(weights.append)) return append(some_topic());
    if (is(weights.commit)) return commit_position();
    if (is(weights.sync)) return sync();
    if (is(weights.roll)) return roll();
    if (is(weights.upkeep)) return upkeep();
    create_or_delete();
  }

  /// What the engine calls durable must survive from here on.
  void note_durable() {
    for (auto& [name, topic] : model_.topics) note_durable(name);
  }

 private:
  struct At {
    std::string topic{};
    PartitionId partition = 0;
    PartitionModel* model = nullptr;
    TopicPartition name() const { return {topic, partition}; }
    std::string text() const { return topic + "-" + std::to_string(partition); }
  };

  void begin(std::string operation) { history_.push_back(std::move(operation)); }

  At some_topic() {
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
      partition.survives_power_cut = std::max(partition.survives_power_cut, shown.durable_offset);
    }
  }

  // Where a crash has taken batches, mostly in their lengths once more.
  std::vector<std::size_t> sizes_for(PartitionModel& partition) {
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

  Producer& producer(Acks acks, CompressionType compression) {
    const auto key = std::pair(acks, compression);
    const auto found = producers_.find(key);
    if (found != producers_.end()) return found->second;
    return producers_.emplace(key, needed(engine_.producer({.acks = acks, .compression_type = compression})))
        .first->second;
  }

  void append(const At& at) {
    auto& model = *at.model;
    const auto sizes = sizes_for(model);
    const Offset base = model.end;
    std::vector<ModelRecord> made;
    for (const std::size_t size : sizes) {
      std::string serial = std::to_string(++serial_ + 1'000'000);
      std::string value = at.topic + std::to_string(model_.topics.at(at.topic).incarnation + 1000) + "-" +
                          std::to_string(at.partition) + "-" + std::move(serial) + " ";
      value.resize(size, static_cast<char>('a' + serial_ % 26));
      made.push_back({"key" + std::to_string(random_.between(0, 4)), std::move(value)});
      model.records[model.end++] = made.back();
    }
    model.batch_ends.insert(model.end);
    std::vector<Record> records;
    for (const ModelRecord& record : made) records.push_back({.key = record.key, .value = record.value});
    const Acks acks = random_.one_in(2) ? Acks::all : Acks::leader;
    const auto compression = random_.one_in(5) ? CompressionType::lz4 : CompressionType::uncompressed;
    begin("append " + at.text() + " [" + std::to_string(base) + ", " + std::to_string(model.end) + ") of " +
          std::to_string(sizes.front()) + " bytes" + (acks == Acks::all ? ", all" : ", leader") +
          (compression == CompressionType::lz4 ? ", lz4" : ""));
    const auto appended = needed(producer(acks, compression).append(at.name(), records));
    if (appended.base_offset != base || appended.last_offset + 1 != model.end)
      throw CrashFault(at.topic + ": appended at " + std::to_string(appended.base_offset) + ", not at " +
                       std::to_string(base));
    model.survives_kill = model.end;
    if (acks == Acks::all) model.survives_power_cut = model.end;
    note_durable(at.topic);
  }

  // Sometimes many large ones, which fill a journal file.
  void commit_position() {
    const At at = some_topic();
    const std::string& group = power_groups[static_cast<std::size_t>(random_.between(0, 1))];
    const bool is_large = random_.one_in(4);
    for (auto left = is_large ? random_.between(4, 16) : 1; left > 0; --left) {
      const Offset offset = random_.one_in(2) ? at.model->end : random_.between(0, at.model->end);
      const Acks acks = random_.one_in(is_large ? 6 : 2) ? Acks::all : Acks::leader;
      auto& positions = at.model->positions[group];
      positions.commit(offset);
      begin("commit " + group + " at " + std::to_string(offset) + " of " + at.text() +
            (acks == Acks::all ? ", all" : ", leader") + (is_large ? ", large" : ""));
      Consumer consumer = needed(engine_.consumer({.group_id = group, .commit_acks = acks}));
      needed(consumer.commit_sync(
          {{at.name(), {.offset = offset, .metadata = std::string(is_large ? 4000 : 0, 'm')}}}));
      positions.survives(acks == Acks::all ? Crash::power_cut : Crash::kill);
    }
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
        begin("store offsets");
        needed(impl->store_commits());
        // Shown to other processes, no more: what was committed at `leader` can still be lost.
    }
  }

  void roll() {
    const At at = some_topic();
    begin("roll " + at.text());
    needed(needed(detail::EngineImpl::of(engine_)->partition(at.topic, at.partition))->roll());
    note_durable(at.topic);
  }

  void upkeep() {
    const At at = some_topic();
    if (at.topic == compacted_topic) return compact();
    if (random_.one_in(2)) return retain(at.topic);
    const Offset target = random_.between(at.model->start_max, at.model->end);
    at.model->start_max = target;
    begin("delete records of " + at.text() + " below " + std::to_string(target));
    needed(admin_.delete_records(at.name(), target));
    at.model->start = target;
  }

  void compact() {
    model_.topics.at(compacted_topic).is_compacted = true;
    begin("compact");
    needed(admin_.compact(compacted_topic, random_.one_in(2)));
    model_.everything_survives();  // It makes a checkpoint.
  }

  void retain(const std::string& topic) {
    auto& partitions = model_.topics.at(topic).partitions;
    for (auto& partition : partitions) partition.start_max = partition.end;
    begin("retention of " + topic);
    needed(admin_.apply_retention(topic));
    for (const auto& shown : needed(admin_.describe_topic(topic)).partitions) {
      auto& partition = partitions[static_cast<std::size_t>(shown.partition)];
      partition.start = partition.start_max = shown.log_start_offset;
    }
    note_durable(topic);
  }

  void create_or_delete() {
    constexpr std::string_view names[] = {"a", "b", compacted_topic, "r"};
    const std::string name(names[random_.between(0, 3)]);
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
    if (name == compacted_topic) config["cleanup.policy"] = "compact";
    if (name == "r") config["retention.bytes"] = "5000";
    const PartitionId partitions = name == "a" ? 2 : 1;
    TopicModel made{.incarnation = ++model_.incarnations, .may_be_missing = true};
    made.partitions.resize(static_cast<std::size_t>(partitions));
    model_.topics[name] = std::move(made);
    begin("create topic " + name);
    needed(admin_.create_topic({.name = name, .partition_count = partitions, .config = std::move(config)}));
    model_.topics.at(name).may_be_missing = false;
  }

  static constexpr const char* compacted_topic = "c";

  Engine engine_;
  Admin admin_;
  Model& model_;
  Random& random_;
  std::vector<std::string>& history_;
  std::map<std::pair<Acks, CompressionType>, Producer> producers_;
  // Serials of a process are used once.
  static inline std::int64_t serial_ = 0;
};

}  // namespace seriatim::test
