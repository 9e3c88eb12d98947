// The records that must be there, and those that may be there, after a crash: the oracle of the crash
// simulation.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/types.hpp>

namespace seriatim::test {

/// Which crash: a power cut leaves what is durable, a kill also what is only in the page cache.
enum class Crash { power_cut, kill };
inline const char* name_of(Crash crash) { return crash == Crash::kill ? "kill" : "power cut"; }

struct ModelRecord {
  std::string key{};
  std::string value{};
  bool operator==(const ModelRecord&) const = default;
};
using ModelRecords = std::map<Offset, ModelRecord>;

/// The contents of a partition that a recovered engine shows.
struct PartitionContents {
  Offset start = 0;
  Offset end = 0;
  ModelRecords records{};
  std::map<std::string, Offset> positions{};  ///< By group.
  bool operator==(const PartitionContents&) const = default;
};
using Contents = std::map<std::string, std::vector<PartitionContents>>;  // by topic

/// The positions that a group has committed: the newest that is known to survive, and those after it.
struct PositionModel {
  std::vector<Offset> history{};
  std::ptrdiff_t survives_power_cut = -1;  ///< Index; -1: none is known to.
  std::ptrdiff_t survives_kill = -1;

  void commit(Offset offset) { history.push_back(offset); }
  void survives(Crash crash) {
    survives_kill = std::ssize(history) - 1;
    if (crash == Crash::power_cut) survives_power_cut = survives_kill;
  }
};

/// A partition. Offsets and records are those of the engine that lives; a crash may take the end of them.
struct PartitionModel {
  ModelRecords records{};
  std::set<Offset> batch_ends{0};
  Offset end = 0;  ///< Of what was appended, or is being appended.
  Offset survives_power_cut = 0;
  Offset survives_kill = 0;
  Offset start = 0;      ///< The lowest that the log start can be.
  Offset start_max = 0;  ///< The highest: what is being deleted may be gone.
  std::map<std::string, PositionModel> positions{};
  /// Batches that the last crash took, as sizes of values: to be appended again in the same lengths, so that
  /// what lies behind them would be found again.
  std::vector<std::vector<std::size_t>> lost{};

  Offset survives(Crash crash) const { return crash == Crash::kill ? survives_kill : survives_power_cut; }
};

struct TopicModel {
  int incarnation = 0;  ///< Part of every value, so that records of another topic of the name are noticed.
  bool may_be_missing = false;  ///< It is being created or deleted.
  bool is_compacted = false;
  std::vector<PartitionModel> partitions{};
};

struct Model {
  std::map<std::string, TopicModel> topics{};
  int incarnations = 0;

  /// The fault of `found` after a crash; nullopt: none.
  std::optional<std::string> complaint(const Contents& found, Crash crash) const;
  /// The engine goes on with `found`. After a power cut all of it is on the disk; after a kill as much as
  /// before.
  void adopt(const Contents& found, Crash crash);
  /// Everything is on stable storage: after a clean close.
  void everything_survives();
};

namespace power_model {

inline std::string range(Offset from, Offset to) {
  return "[" + std::to_string(from) + ", " + std::to_string(to) + ")";
}

// Compaction may have taken a record if a later one of its key is there.
inline std::optional<std::string> check_records(const TopicModel& topic, const PartitionModel& model,
                                                const PartitionContents& found) {
  std::map<std::string, Offset> newest;
  for (const auto& [offset, record] : found.records) {
    const auto known = model.records.find(offset);
    if (known == model.records.end())
      return "a phantom at offset " + std::to_string(offset) + ": " + record.value;
    if (known->second != record) {
      return "another record at offset " + std::to_string(offset) + ": " + record.value.substr(0, 40) +
             " instead of " + known->second.value.substr(0, 40);
    }
    newest[record.key] = offset;
  }
  for (auto at = model.records.lower_bound(found.start); at != model.records.lower_bound(found.end); ++at) {
    if (found.records.contains(at->first)) continue;
    const auto later = newest.find(at->second.key);
    if (topic.is_compacted && later != newest.end() && later->second > at->first) continue;
    return "offset " + std::to_string(at->first) + " is missing";
  }
  return std::nullopt;
}

inline std::optional<std::string> check_position(const PositionModel& model, std::optional<Offset> found,
                                                 Offset end, Crash crash) {
  const std::ptrdiff_t oldest = crash == Crash::kill ? model.survives_kill : model.survives_power_cut;
  if (!found && oldest < 0) return std::nullopt;
  if (!found) return "is missing";
  if (*found > end) return std::to_string(*found) + " is beyond the end " + std::to_string(end) + " (INV-2)";
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(oldest, 0); i < std::ssize(model.history); ++i) {
    if (std::min(model.history[static_cast<std::size_t>(i)], end) == *found) return std::nullopt;
  }
  return std::to_string(*found) + " is none of those committed last";
}

inline std::optional<std::string> check_partition(const TopicModel& topic, const PartitionModel& model,
                                                  const PartitionContents& found, Crash crash) {
  const Offset least = model.survives(crash);
  if (found.start < model.start || found.start > model.start_max) {
    return "the log starts at " + std::to_string(found.start) + ", not in [" + std::to_string(model.start) +
           ", " + std::to_string(model.start_max) + "]";
  }
  if (found.end < least) {
    return "it ends at " + std::to_string(found.end) + ", but up to " + std::to_string(least) +
           " was acknowledged (INV-4)";
  }
  // Without a record the log ends where it was made to start.
  if (!model.batch_ends.contains(found.end) && found.end != found.start)
    return "it ends at " + std::to_string(found.end) + ", within a batch or beyond what was appended";
  if (auto wrong = check_records(topic, model, found)) return wrong;
  for (const auto& [group, positions] : model.positions) {
    const auto at = found.positions.find(group);
    const auto position = at == found.positions.end() ? std::nullopt : std::optional(at->second);
    if (auto wrong = check_position(positions, position, found.end, crash))
      return "the position of " + group + " " + *wrong;
  }
  for (const auto& [group, position] : found.positions) {
    if (!model.positions.contains(group)) return "a position of " + group + " that nobody committed";
  }
  return std::nullopt;
}

}  // namespace power_model

inline std::optional<std::string> Model::complaint(const Contents& found, Crash crash) const {
  for (const auto& [name, topic] : topics) {
    const auto at = found.find(name);
    if (at == found.end() && topic.may_be_missing) continue;
    if (at == found.end()) return "topic " + name + " is missing";
    if (at->second.size() != topic.partitions.size()) return "topic " + name + " has other partitions";
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      if (auto wrong = power_model::check_partition(topic, topic.partitions[i], at->second[i], crash))
        return name + "-" + std::to_string(i) + ": " + *wrong;
    }
  }
  for (const auto& [name, partitions] : found) {
    if (!topics.contains(name)) return "topic " + name + " is there again";
  }
  return std::nullopt;
}

namespace power_model {

inline std::vector<std::vector<std::size_t>> sizes_of_batches(const PartitionModel& model, Offset from) {
  std::vector<std::vector<std::size_t>> batches;
  for (auto end = model.batch_ends.upper_bound(from); end != model.batch_ends.end(); ++end) {
    auto& sizes = batches.emplace_back();
    for (; from < *end; ++from) {
      const auto record = model.records.find(from);
      if (record != model.records.end()) sizes.push_back(record->second.value.size());
    }
    if (sizes.empty()) batches.pop_back();
  }
  return batches;
}

inline void adopt_partition(PartitionModel& model, const PartitionContents& found, Crash crash) {
  model.lost = sizes_of_batches(model, found.end);
  model.records.erase(model.records.lower_bound(found.end), model.records.end());
  model.batch_ends.erase(model.batch_ends.upper_bound(found.end), model.batch_ends.end());
  model.batch_ends.insert(found.end);
  model.end = model.survives_kill = found.end;
  model.start_max = found.start;
  if (crash == Crash::power_cut) {
    model.survives_power_cut = found.end;
    model.start = found.start;
    model.records = found.records;
  }
  for (auto& [group, positions] : model.positions) {
    const auto at = found.positions.find(group);
    const bool is_there = at != found.positions.end();
    if (crash == Crash::power_cut || !is_there) positions = {};
    if (!is_there) continue;
    positions.commit(at->second);
    positions.survives(crash);
  }
  std::erase_if(model.positions, [](const auto& item) { return item.second.history.empty(); });
}

}  // namespace power_model

inline void Model::adopt(const Contents& found, Crash crash) {
  std::erase_if(topics, [&](const auto& item) { return !found.contains(item.first); });
  for (auto& [name, topic] : topics) {
    topic.may_be_missing = false;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i)
      power_model::adopt_partition(topic.partitions[i], found.at(name)[i], crash);
  }
}

inline void Model::everything_survives() {
  for (auto& [name, topic] : topics) {
    for (auto& partition : topic.partitions) {
      partition.survives_power_cut = partition.survives_kill = partition.end;
      for (auto& [group, positions] : partition.positions) positions.survives(Crash::power_cut);
    }
  }
}

}  // namespace seriatim::test
