// Transactions under crashes: what a history of TransactionWorkload is checked against.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crash/power_run.hpp"
#include "crash/power_transactions_workload.hpp"

namespace seriatim::test {

namespace power_transactions {

inline FoundPartition look_at(const Engine& engine, const TopicPartition& at,
                              const PartitionDescription& shown) {
  FoundPartition found{
      .start = shown.log_start_offset, .stable = shown.last_stable_offset, .end = shown.log_end_offset};
  const auto read = [&](IsolationLevel level, const auto& take) {
    const LogReader reader = needed(engine.reader(at, {.isolation_level = level}));
    for (Offset next = found.start; next < found.end;) {
      const ConsumerRecords records = needed(reader.read(next, 1000));
      if (records.empty()) break;
      for (const RecordView& record : records) {
        take(record);
        next = record.offset() + 1;
      }
    }
  };
  read(IsolationLevel::read_uncommitted, [&](const RecordView& record) {
    found.records[record.offset()] = std::string(record.value().text());
  });
  read(IsolationLevel::read_committed, [&](const RecordView& record) {
    if (!found.records.contains(record.offset())) throw CrashFault("read_committed shows more than is there");
    found.committed.insert(record.offset());
  });
  return found;
}

inline std::string text_of(const std::vector<std::byte>& bytes) {
  return std::string(BytesView(std::span<const std::byte>(bytes)).text());
}

}  // namespace power_transactions

struct TransactionScenario {
  using Model = TransactionModel;
  using Contents = FoundTransactions;
  using Weights = TransactionWeights;
  using Workload = TransactionWorkload;

  /// Everything that the engine shows. INV-1 and INV-2 hold, and no partition says that it is damaged.
  static Contents contents_of(const Engine& engine) {
    Contents found;
    for (const std::string& topic : needed(engine.admin().list_topics())) {
      for (const auto& shown : needed(engine.admin().describe_topic(topic)).partitions) {
        const std::string name = topic + "-" + std::to_string(shown.partition);
        if (shown.damage) throw CrashFault(name + " is damaged: " + *shown.damage);
        const bool is_ordered =
            0 <= shown.log_start_offset && shown.log_start_offset <= shown.last_stable_offset &&
            shown.last_stable_offset <= shown.high_watermark &&
            shown.high_watermark <= shown.log_end_offset && shown.durable_offset <= shown.log_end_offset;
        if (!is_ordered) throw CrashFault(name + ": offsets out of order (INV-1)");
        found.topics[topic].push_back(power_transactions::look_at(engine, {topic, shown.partition}, shown));
      }
    }
    for (const std::string& group : power_groups) {
      for (const auto& offset : needed(engine.admin().group_offsets(group))) {
        const auto& at = offset.topic_partition;
        const auto& partition = found.topics.at(at.topic).at(static_cast<std::size_t>(at.partition));
        if (offset.committed.offset > partition.end)
          throw CrashFault("a position of " + group + " is beyond the end (INV-2)");
        found.facts[{.topic = at.topic, .partition = at.partition, .key = group}] =
            std::to_string(offset.committed.offset);
      }
    }
    for (const StateEntry& entry : needed(needed(engine.state("s")).scan({}, 1000)))
      found.facts[{.key = power_transactions::text_of(entry.key)}] = power_transactions::text_of(entry.value);
    return found;
  }

  /// The engine that recovered works on, and stops once more.
  struct Aftermath {
    TransactionModel model{};
    std::vector<std::string> history{};

    std::optional<std::string> complaint(const Contents& found, std::optional<Crash> crash) {
      if (!crash) model.everything_survives();
      auto wrong = model.complaint(found, crash.value_or(Crash::power_cut));
      if (!wrong) return std::nullopt;
      *wrong += "\nBehind the recovery, before " + std::string(crash ? name_of(*crash) : "a close") + ":";
      for (const std::string& operation : history) *wrong += "\n  " + operation;
      return wrong;
    }
  };

  static std::optional<Aftermath> go_on(const Engine& engine, const Model& model, const Contents& recovered,
                                        Crash crash, Random& random) {
    check_epochs(engine, model, recovered, crash, random);
    if (!random.one_in(3)) return std::nullopt;
    std::optional<Aftermath> after{{.model = model}};
    // The contents of the directory at this point were there when it was opened, so it is on this disk.
    after->model.adopt(recovered, crash);
    after->model.adopt(recovered, Crash::power_cut);
    base::ManualClock clock(power_clock().wall_ms());
    TransactionWorkload workload(engine, after->model, random, after->history, clock);
    const TransactionWeights weights{.holder = 0, .sync = 4, .topics = 0};
    for (auto left = random.between(1, 8); left > 0; --left) workload.step(weights);
    return after;
  }

 private:
  static void check_epochs(const Engine& engine, const Model& model, const Contents& recovered, Crash crash,
                           Random& random) {
    for (const auto& [id, identity] : model.ids) {
      if (!random.one_in(4)) continue;
      const auto producer = needed(engine.transactional_producer({.transactional_id = id}));
      const auto least = model.least_epoch(id, recovered, crash);
      if (producer.producer_id() == identity.producer_id && producer.producer_epoch() < least)
        throw CrashFault("after a " + std::string(name_of(crash)) + ": " + id + " goes on with epoch " +
                         std::to_string(producer.producer_epoch()) + ", not with " + std::to_string(least) +
                         " or a later one");
    }
  }
};

}  // namespace seriatim::test
