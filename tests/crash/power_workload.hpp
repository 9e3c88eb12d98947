// Random operations on an engine without transactions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/power_upkeep.hpp"

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

class PowerWorkload : public PowerUpkeep<Model> {
 public:
  PowerWorkload(Engine engine, Model& model, Random& random, std::vector<std::string>& history,
                base::ManualClock&)
      : PowerUpkeep(std::move(engine), model, random, history) {}

  void step(const PowerWeights& weights) {
    std::int64_t drawn = random_.between(1, weights.sum());
    const auto is = [&](int weight) { return (drawn -= weight) <= 0; };
    if (model_.topics.empty()) return create_or_delete(topics);
    if (is(weights.append)) return append_to(some_partition());
    if (is(weights.commit)) return commit_position();
    if (is(weights.sync)) return sync();
    if (is(weights.roll)) return roll();
    if (is(weights.upkeep)) return upkeep();
    create_or_delete(topics);
  }

 private:
  static constexpr std::string_view topics[] = {"a", "b", compacted_topic, "r"};

  Producer& producer(Acks acks, CompressionType compression) {
    const auto key = std::pair(acks, compression);
    const auto found = producers_.find(key);
    if (found != producers_.end()) return found->second;
    return producers_.emplace(key, needed(engine_.producer({.acks = acks, .compression_type = compression})))
        .first->second;
  }

  void append_to(const At& at) {
    auto& model = *at.model;
    const Offset base = model.end;
    std::vector<ModelRecord> made;
    for (const std::size_t size : sizes_for(model)) {
      std::string value = next_value(at, size);
      made.push_back({"key" + std::to_string(random_.between(0, 4)), std::move(value)});
      model.records[model.end++] = made.back();
    }
    model.batch_ends.insert(model.end);
    std::vector<Record> records;
    for (const ModelRecord& record : made) records.push_back({.key = record.key, .value = record.value});
    const Acks acks = some_acks();
    const auto compression = random_.one_in(5) ? CompressionType::lz4 : CompressionType::uncompressed;
    append(at, base, records, name_of(acks) + (compression == CompressionType::lz4 ? ", lz4" : ""),
           producer(acks, compression));
    if (acks == Acks::all) model.survives_power_cut = model.end;
    note_durable(at.topic);
  }

  // Sometimes many large ones, which fill a journal file.
  void commit_position() {
    const At at = some_partition();
    const std::string& group = some_group();
    const bool is_large = random_.one_in(4);
    for (auto left = is_large ? random_.between(4, 16) : 1; left > 0; --left) {
      const Offset offset = some_position(at);
      const Acks acks = random_.one_in(is_large ? 6 : 2) ? Acks::all : Acks::leader;
      auto& positions = at.model->positions[group];
      positions.commit(offset);
      begin("commit " + group + " at " + std::to_string(offset) + " of " + at.text() + name_of(acks) +
            (is_large ? ", large" : ""));
      Consumer consumer = needed(engine_.consumer({.group_id = group, .commit_acks = acks}));
      needed(consumer.commit_sync(
          {{at.name(), {.offset = offset, .metadata = std::string(is_large ? 4000 : 0, 'm')}}}));
      positions.survives(acks == Acks::all ? Crash::power_cut : Crash::kill);
    }
  }

  void upkeep() {
    const At at = some_partition();
    if (at.topic == compacted_topic) return compact(at.topic);
    if (random_.one_in(2)) return retain(at.topic);
    delete_records(at, at.model->end);
  }

  void compact(const std::string& topic) {
    model_.topics.at(topic).is_compacted = true;
    begin("compact");
    needed(admin_.compact(topic, random_.one_in(2)));
    model_.everything_survives();  // It makes a checkpoint.
  }

  std::map<std::pair<Acks, CompressionType>, Producer> producers_;
};

}  // namespace seriatim::test
