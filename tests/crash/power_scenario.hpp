// Topics, records and positions under crashes: what a history of PowerWorkload is checked against.
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crash/power_run.hpp"
#include "crash/power_workload.hpp"

namespace seriatim::test {

struct PowerScenario {
  using Model = test::Model;
  using Contents = test::Contents;
  using Weights = PowerWeights;
  using Workload = PowerWorkload;

  static Contents contents_of(const Engine& engine) { return test::contents_of(engine); }

  struct Aftermath {
    Contents recovered{};
    Contents appended{};
    Acks acks = Acks::all;

    std::optional<std::string> complaint(const Contents& found, std::optional<Crash> crash) const {
      if (found == appended) return std::nullopt;
      // The recovered records are on the disk; those appended at `leader` are not.
      if (crash == Crash::power_cut && acks == Acks::leader && found == recovered) return std::nullopt;
      return "what was recovered and appended to is not there again";
    }
  };

  static std::optional<Aftermath> go_on(const Engine& engine, const Model& model, const Contents& recovered,
                                        Crash, Random& random) {
    if (recovered.empty() || (!lossy_partition(model, recovered) && !random.one_in(4))) return std::nullopt;
    const Acks acks = random.one_in(2) ? Acks::all : Acks::leader;
    return Aftermath{recovered, append_to(engine, model, recovered, acks, random), acks};
  }

 private:
  static std::optional<TopicPartition> lossy_partition(const Model& model, const Contents& contents) {
    for (const auto& [name, partitions] : contents) {
      const auto& models = model.topics.at(name).partitions;
      for (std::size_t i = 0; i < partitions.size(); ++i) {
        if (partitions[i].end < models[i].end) return TopicPartition{name, static_cast<PartitionId>(i)};
      }
    }
    return std::nullopt;
  }

  // Of the length of what was lost there, if anything was: what lies behind it must not come back.
  static Contents append_to(const Engine& engine, const Model& models, Contents contents, Acks acks,
                            Random& random) {
    auto topic = contents.begin();
    std::advance(topic, random.between(0, std::ssize(contents) - 1));
    auto index = static_cast<std::size_t>(random.between(0, std::ssize(topic->second) - 1));
    if (const auto lossy = lossy_partition(models, contents)) {
      topic = contents.find(lossy->topic);
      index = static_cast<std::size_t>(lossy->partition);
    }
    auto& partition = topic->second[index];
    const auto& model = models.topics.at(topic->first).partitions[index];
    const auto lost = model.records.find(partition.end);
    ModelRecord record{"key9", "appended after the recovery"};
    if (lost != model.records.end())
      record.value.resize(std::max<std::size_t>(lost->second.value.size(), 28), '.');
    Producer producer = needed(engine.producer({.acks = acks}));
    const Record appended{.key = record.key, .value = record.value};
    const auto placed =
        needed(producer.append({topic->first, static_cast<PartitionId>(index)}, std::span(&appended, 1)));
    if (placed.base_offset != partition.end)
      throw CrashFault("after a recovery that ended at " + std::to_string(partition.end) +
                       " a record got the offset " + std::to_string(placed.base_offset));
    partition.records[partition.end++] = std::move(record);
    return contents;
  }
};

}  // namespace seriatim::test
