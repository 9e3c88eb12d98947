// Transactions on a real engine, and what readers under read_committed see of them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unit/api/engine_fixture.hpp"

namespace seriatim::test {

inline TransactionalProducer transactional(const Engine& engine, const std::string& id = "worker",
                                           Acks acks = Acks::all) {
  return must(engine.transactional_producer({.transactional_id = id, .acks = acks}));
}

inline RecordMetadata send(Transaction& transaction, const std::string& topic, const std::string& value,
                           PartitionId partition = 0) {
  return must(transaction.send({.topic = topic, .value = value, .partition = partition}));
}

/// A transaction of one record.
inline void commit_one(TransactionalProducer& producer, const std::string& topic, const std::string& value,
                       PartitionId partition = 0) {
  Transaction transaction = must(producer.begin());
  send(transaction, topic, value, partition);
  must(transaction.commit());
}

/// The values that a consumer of one partition is shown from its beginning on.
inline std::vector<std::string> committed_values(const Engine& engine, const std::string& topic,
                                                 PartitionId partition = 0) {
  Consumer consumer = must(engine.consumer());
  must(consumer.assign({{topic, partition}}));
  std::vector<std::string> values;
  for (;;) {
    const auto records = must(consumer.poll(std::chrono::milliseconds(0)));
    if (records.empty()) return values;
    for (const RecordView& record : records) values.emplace_back(record.value().text());
  }
}

inline std::optional<Offset> committed_offset(const Engine& engine, const std::string& group,
                                              const TopicPartition& at) {
  const Consumer consumer = must(engine.consumer({.group_id = group}));
  const auto found = must(consumer.committed(at));
  return found ? std::optional<Offset>(found->offset) : std::nullopt;
}

inline std::optional<std::string> state_text(const Engine& engine, const std::string& name,
                                             const std::string& key) {
  const auto value = must(must(engine.state(name)).get(key));
  if (!value) return std::nullopt;
  return std::string(BytesView(std::span<const std::byte>(*value)).text());
}

}  // namespace seriatim::test
