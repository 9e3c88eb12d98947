// The fixture of tests of relays: a topic "in" with keys, and a topic "out" of other partitions.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/flow/relay.hpp>
#include <seriatim/partitioning.hpp>

#include "unit/api/transaction_fixture.hpp"

namespace seriatim::test {

using Values = std::vector<std::string>;

/// Batches are small, so that there are several; until caught up.
inline RelayOptions relaying(std::size_t batch_records = 10) {
  return {.from = "in",
          .to = "out",
          .acks = Acks::leader,
          .until_caught_up = true,
          .batch_records = batch_records};
}

/// All committed records of a topic, partition by partition.
inline std::vector<OwnedRecord> committed_records(const Engine& engine, const std::string& topic) {
  Consumer consumer = must(engine.consumer());
  must(consumer.assign_topic(topic));
  std::vector<OwnedRecord> all;
  for (const TopicPartition& at : consumer.assignment()) {
    Consumer one = must(engine.consumer());
    must(one.assign({at}));
    for (;;) {
      const auto records = must(one.poll(std::chrono::milliseconds(0)));
      if (records.empty()) break;
      for (const RecordView& record : records) all.push_back(record.to_owned());
    }
  }
  return all;
}

/// The values of each key in the order in which their partition has them. A key in two partitions is marked.
inline std::map<std::string, Values> values_by_key(const std::vector<OwnedRecord>& records) {
  std::map<std::string, Values> values;
  std::map<std::string, PartitionId> places;
  for (const OwnedRecord& record : records) {
    const std::string key = record.key.value_or("(null)");
    Values& of_key = values[key];
    const auto place = places.emplace(key, record.topic_partition.partition).first;
    if (place->second != record.topic_partition.partition) of_key.emplace_back("(in two partitions)");
    of_key.push_back(record.value.value_or("(null)"));
  }
  return values;
}

struct RelayFixture {
  TempDir directory;
  Engine engine = open_engine(directory / "data");

  explicit RelayFixture(PartitionId from = 3, PartitionId to = 8, ConfigMap target_config = {}) {
    create_topic(engine, "in", from);
    create_topic(engine, "out", to, std::move(target_config));
  }
  /// Records first .. end - 1: their values, under `keys` keys.
  void produce(int first, int end, int keys = 20) const {
    Producer producer = must(engine.producer({.acks = Acks::leader}));
    for (int i = first; i < end; ++i) {
      must(producer.send_sync(
          {.topic = "in", .key = "key-" + std::to_string(i % keys), .value = std::to_string(i)}));
    }
  }
  Relay open(RelayOptions options = relaying()) const {
    return must(Relay::open(engine, std::move(options)));
  }
  std::map<std::string, Values> in() const { return values_by_key(committed_records(engine, "in")); }
  std::map<std::string, Values> out() const { return values_by_key(committed_records(engine, "out")); }
  std::int64_t lag(const std::string& group = "relay:in:out") const {
    std::int64_t lag = 0;
    for (const GroupLag& one : must(engine.admin().group_lag(group))) lag += one.lag;
    return lag;
  }
};

}  // namespace seriatim::test
