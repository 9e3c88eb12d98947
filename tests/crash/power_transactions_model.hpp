// The transactions that must be there, and those that may be there, after a crash.
//
// Commits of positions and of transactions are journal frames, so that after a crash the first so many of
// them hold and no other: whole in every partition, positions and state, which is looked for in all places at
// once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/types.hpp>

#include "crash/power_model.hpp"

namespace seriatim::test {

/// A position or a value of the state, by a name that tells them apart.
struct FactName {
  std::string topic{};  ///< Of a position; empty: state.
  int incarnation = 0;  ///< Of the topic.
  PartitionId partition = 0;
  std::string key{};  ///< The group, or the key of the state.
  auto operator<=>(const FactName&) const = default;
  std::string text() const {
    return topic.empty() ? "state " + key : key + " at " + topic + "-" + std::to_string(partition);
  }
};
using Facts = std::map<FactName, std::string>;

/// The contents that a recovered engine shows.
struct FoundPartition {
  Offset start = 0;
  Offset stable = 0;
  Offset end = 0;
  std::map<Offset, std::string> records{};  ///< Under read_uncommitted.
  std::set<Offset> committed{};             ///< Under read_committed.
  Offset data_end() const { return records.empty() ? start : records.rbegin()->first + 1; }
};
struct FoundTransactions {
  std::map<std::string, std::vector<FoundPartition>> topics{};
  Facts facts{};  ///< Without incarnations.
};

struct TransactionRecord {
  std::string value{};
  std::ptrdiff_t transaction = -1;  ///< -1: none, it is there as soon as it is appended.
  std::int64_t batch = 0;
};

struct TransactionPartition {
  std::map<Offset, TransactionRecord> records{};
  Offset end = 0;  ///< As the engine said last: markers make it higher.
  Offset survives_power_cut = 0;
  Offset survives_kill = 0;
  Offset start = 0;
  Offset start_max = 0;
  /// Batches that the last crash took, as sizes of values: appended again in the same lengths, so that what
  /// lies behind them would be found again.
  std::vector<std::vector<std::size_t>> lost{};
  Offset survives(Crash crash) const { return crash == Crash::kill ? survives_kill : survives_power_cut; }
};

struct TransactionTopic {
  int incarnation = 0;
  bool may_be_missing = false;  ///< It is being created or deleted.
  std::vector<TransactionPartition> partitions{};
};

/// One commit, of a transaction or of positions alone.
struct CommitStep {
  std::ptrdiff_t transaction = -1;
  std::map<FactName, std::optional<std::string>> changes{};  // nothing: the key goes
};

/// The holder of a transactional id.
struct IdentityModel {
  ProducerId producer_id = -1;
  ProducerEpoch opened = -1;  ///< Durable.
  ProducerEpoch newest = -1;
};

struct TransactionModel {
  std::map<std::string, TransactionTopic> topics{};
  /// Which of all transactions ever begun are committed for good, and the epochs they had.
  std::vector<bool> is_settled{};
  std::vector<std::pair<std::string, ProducerEpoch>> carriers{};  ///< Of each transaction.
  std::map<std::string, IdentityModel> ids{};
  Facts base{};
  std::vector<CommitStep> steps{};  ///< Since `base`.
  std::size_t steps_survive_kill = 0;
  int incarnations = 0;

  std::size_t steps_survive(Crash crash) const { return crash == Crash::kill ? steps_survive_kill : 0; }
  /// The fault of `found` after a crash; nullopt: none.
  std::optional<std::string> complaint(const FoundTransactions& found, Crash crash) const;
  /// The engine goes on with `found`.
  void adopt(const FoundTransactions& found, Crash crash);
  /// Everything is on stable storage: after a clean close.
  void everything_survives();
  /// The steps so far are on stable storage.
  void steps_are_durable() {
    for (const CommitStep& step : steps) {
      apply(step, base);
      if (step.transaction >= 0) is_settled[static_cast<std::size_t>(step.transaction)] = true;
    }
    steps.clear();
    steps_survive_kill = 0;
  }
  /// The lowest epoch with which `id` may go on after this crash, if its producer id is still the same.
  ProducerEpoch least_epoch(const std::string& id, const FoundTransactions& found, Crash crash) const;

  static void apply(const CommitStep& step, Facts& facts) {
    for (const auto& [name, value] : step.changes) {
      if (value) {
        facts[name] = *value;
      } else {
        facts.erase(name);
      }
    }
  }

 private:
  /// How many of the steps hold. The last ones may leave no trace, so that nobody can say.
  struct Held {
    std::size_t least = 0;
    std::size_t most = 0;
  };
  /// nullopt with `why`: no number of them explains what is there.
  std::optional<Held> steps_that_hold(const FoundTransactions& found, Crash crash, std::string& why) const;
  std::set<std::ptrdiff_t> decided_by(std::size_t count) const;
  std::optional<std::string> check_visible(const FoundTransactions& found,
                                           const std::set<std::ptrdiff_t>& decided) const;
  std::optional<std::string> check_facts(const FoundTransactions& found, const Facts& expected) const;
  std::optional<std::string> check_partition(const TransactionPartition& model, const FoundPartition& found,
                                             Crash crash) const;
};

inline std::optional<std::string> TransactionModel::check_partition(const TransactionPartition& model,
                                                                    const FoundPartition& found,
                                                                    Crash crash) const {
  if (found.start < model.start || found.start > model.start_max) {
    return "the log starts at " + std::to_string(found.start) + ", not in [" + std::to_string(model.start) +
           ", " + std::to_string(model.start_max) + "]";
  }
  if (found.end < model.survives(crash)) {
    return "it ends at " + std::to_string(found.end) + ", but up to " +
           std::to_string(model.survives(crash)) + " was acknowledged (INV-4)";
  }
  if (found.stable != found.end) {
    return "the last stable offset is " + std::to_string(found.stable) + " and the end " +
           std::to_string(found.end) + ": a transaction was left open";
  }
  // Recovery has ended what was open, one marker for each id.
  if (found.end > model.end + std::ssize(ids)) return "it ends at " + std::to_string(found.end) + ", too far";
  for (const auto& [offset, value] : found.records) {
    const auto known = model.records.find(offset);
    if (known == model.records.end()) return "a phantom at offset " + std::to_string(offset) + ": " + value;
    if (known->second.value != value)
      return "another record at offset " + std::to_string(offset) + ": " + value.substr(0, 40);
  }
  for (const auto& [offset, record] : model.records) {
    if (offset >= found.start && offset < found.data_end() && !found.records.contains(offset))
      return "offset " + std::to_string(offset) + " is missing";
    const auto next = model.records.upper_bound(offset);
    const bool is_torn = found.records.contains(offset) && !found.records.contains(offset + 1) &&
                         next != model.records.end() && next->second.batch == record.batch;
    if (is_torn) return "half a batch at offset " + std::to_string(offset);
  }
  return std::nullopt;
}

inline std::set<std::ptrdiff_t> TransactionModel::decided_by(std::size_t count) const {
  std::set<std::ptrdiff_t> decided;
  for (std::size_t i = 0; i < count; ++i) decided.insert(steps[i].transaction);
  return decided;
}

// INV-8, in every partition.
inline std::optional<std::string> TransactionModel::check_visible(
    const FoundTransactions& found, const std::set<std::ptrdiff_t>& decided) const {
  for (const auto& [name, partitions] : found.topics) {
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      for (const auto& [offset, record] : topics.at(name).partitions[i].records) {
        if (offset < partitions[i].start) continue;
        const bool is_plain = record.transaction < 0;
        const bool is_committed = is_plain || is_settled[static_cast<std::size_t>(record.transaction)] ||
                                  decided.contains(record.transaction);
        const bool is_there = partitions[i].records.contains(offset);
        const bool is_seen = partitions[i].committed.contains(offset);
        const bool must_be_seen = is_plain ? is_there : is_committed;
        if (is_seen == must_be_seen) continue;
        return name + "-" + std::to_string(i) + ", offset " + std::to_string(offset) + ": a record of " +
               (is_plain ? "no transaction" : "transaction " + std::to_string(record.transaction)) +
               (is_seen    ? " is seen"
                : is_there ? " is not seen"
                           : " is lost");
      }
    }
  }
  return std::nullopt;
}

inline std::optional<std::string> TransactionModel::check_facts(const FoundTransactions& found,
                                                                const Facts& expected) const {
  Facts left = found.facts;
  for (const auto& [name, value] : expected) {
    FactName bare = name;
    bare.incarnation = 0;
    const FoundPartition* at = nullptr;
    if (!name.topic.empty()) {
      const auto topic = found.topics.find(name.topic);
      if (topic == found.topics.end() || topics.at(name.topic).incarnation != name.incarnation) continue;
      at = &topic->second[static_cast<std::size_t>(name.partition)];
    }
    const auto there = left.find(bare);
    if (there == left.end()) return name.text() + " is missing, not " + value;
    bool is_right = there->second == value;
    if (!is_right && at != nullptr) {
      // Set back to where the log was found to end (INV-2), before or behind markers that a recovery which
      // was stopped had appended: no record lies between.
      const Offset position = std::stoll(there->second);
      is_right = std::stoll(value) >= at->data_end() && position >= at->data_end() && position <= at->end;
    }
    if (!is_right) return name.text() + " is " + there->second + ", not " + value;
    left.erase(there);
  }
  if (!left.empty()) return left.begin()->first.text() + " is " + left.begin()->second + ", not nothing";
  return std::nullopt;
}

inline std::optional<TransactionModel::Held> TransactionModel::steps_that_hold(const FoundTransactions& found,
                                                                               Crash crash,
                                                                               std::string& why) const {
  std::optional<Held> held;
  for (std::size_t count = steps.size() + 1; count-- > steps_survive(crash);) {
    Facts facts = base;
    for (std::size_t i = 0; i < count; ++i) apply(steps[i], facts);
    auto wrong = check_visible(found, decided_by(count));
    if (!wrong) wrong = check_facts(found, facts);
    if (!wrong) held = Held{.least = count, .most = held ? held->most : count};
    if (wrong && !held) {
      why += "\n  if " + std::to_string(count) + " of " + std::to_string(steps.size()) +
             " commits hold: " + *wrong;
    }
  }
  return held;
}

inline std::optional<std::string> TransactionModel::complaint(const FoundTransactions& found,
                                                              Crash crash) const {
  for (const auto& [name, topic] : topics) {
    const auto at = found.topics.find(name);
    if (at == found.topics.end() && topic.may_be_missing) continue;
    if (at == found.topics.end()) return "topic " + name + " is missing";
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      if (auto wrong = check_partition(topic.partitions[i], at->second[i], crash))
        return name + "-" + std::to_string(i) + ": " + *wrong;
    }
  }
  for (const auto& [name, partitions] : found.topics) {
    if (!topics.contains(name)) return "topic " + name + " is there again";
  }
  std::string why = "transactions, positions and state do not go together (INV-8):";
  if (!steps_that_hold(found, crash, why)) return why;
  return std::nullopt;
}

// Of an epoch that only a topic had which is gone, nothing has to be known.
inline ProducerEpoch TransactionModel::least_epoch(const std::string& id, const FoundTransactions& found,
                                                   Crash crash) const {
  const auto known = ids.find(id);
  if (known == ids.end()) return 0;
  int least = known->second.opened + 1;
  const auto note = [&](std::ptrdiff_t transaction) {
    if (transaction < 0) return;
    const auto& [carrier, epoch] = carriers[static_cast<std::size_t>(transaction)];
    if (carrier == id) least = std::max(least, epoch + 1);
  };
  std::string why;
  const auto held = steps_that_hold(found, crash, why);
  for (const auto transaction : decided_by(held ? held->least : 0)) note(transaction);
  for (std::size_t i = 0; i < is_settled.size(); ++i)
    note(is_settled[i] ? static_cast<std::ptrdiff_t>(i) : -1);
  for (const auto& [name, partitions] : found.topics) {
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      for (const auto& [offset, value] : partitions[i].records)
        note(topics.at(name).partitions[i].records.at(offset).transaction);
    }
  }
  return static_cast<ProducerEpoch>(least);
}

namespace power_model {

inline std::vector<std::vector<std::size_t>> sizes_of_batches(const TransactionPartition& model,
                                                              Offset from) {
  std::vector<std::vector<std::size_t>> batches;
  std::int64_t batch = -1;
  for (auto at = model.records.lower_bound(from); at != model.records.end(); ++at) {
    if (batches.empty() || at->second.batch != batch) batches.emplace_back();
    batch = at->second.batch;
    batches.back().push_back(at->second.value.size());
  }
  return batches;
}

inline void adopt_partition(TransactionPartition& model, const FoundPartition& found, Crash crash) {
  model.lost = sizes_of_batches(model, found.data_end());
  model.records.erase(model.records.lower_bound(found.data_end()), model.records.end());
  model.end = model.survives_kill = found.end;
  model.start_max = found.start;
  // After a kill, what recovery appends is not on the disk yet.
  model.survives_power_cut =
      crash == Crash::power_cut ? found.end : std::min(model.survives_power_cut, found.end);
  if (crash != Crash::power_cut) return;
  model.start = found.start;
  model.records.erase(model.records.begin(), model.records.lower_bound(found.start));
}

}  // namespace power_model

inline void TransactionModel::adopt(const FoundTransactions& found, Crash crash) {
  std::string why;
  const auto held = steps_that_hold(found, crash, why);
  if (!held) throw std::logic_error("adopting what was complained of");
  for (auto& [id, identity] : ids)
    identity.newest = static_cast<ProducerEpoch>(least_epoch(id, found, crash) - 1);
  // Of those that leave no trace the epoch may be given out again.
  for (std::size_t i = held->least; i < steps.size(); ++i) {
    if (steps[i].transaction >= 0) carriers[static_cast<std::size_t>(steps[i].transaction)].second = -1;
  }
  steps.resize(held->most);
  steps_survive_kill = held->most;
  if (crash == Crash::power_cut) {
    steps_are_durable();
    // Positions may have been set back.
    Facts facts = found.facts;
    base.clear();
    for (auto& [name, value] : facts) {
      FactName full = name;
      if (!name.topic.empty()) full.incarnation = topics.at(name.topic).incarnation;
      base[full] = value;
    }
  }
  std::erase_if(topics, [&](const auto& item) { return !found.topics.contains(item.first); });
  for (auto& [name, topic] : topics) {
    topic.may_be_missing = false;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i)
      power_model::adopt_partition(topic.partitions[i], found.topics.at(name)[i], crash);
  }
}

inline void TransactionModel::everything_survives() {
  for (auto& [name, topic] : topics) {
    for (auto& partition : topic.partitions)
      partition.survives_power_cut = partition.survives_kill = partition.end;
  }
  steps_are_durable();
}

}  // namespace seriatim::test
