// The transaction that is measured: a record to each of four topics and a position of a group.
#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "bench_support.hpp"

namespace seriatim::bench {

inline constexpr std::size_t transaction_value_bytes = 100;
/// Of each topic: as many as there are threads, so that none waits for another's.
inline constexpr PartitionId transaction_partitions = 16;
inline constexpr std::array<const char*, 4> transaction_topics{"bench", "second", "third", "fourth"};

inline Engine open_engine_of_four_topics(const std::filesystem::path& directory) {
  Engine engine = open_engine(directory, transaction_partitions);
  for (const char* const topic : transaction_topics) {
    if (topic != transaction_topics.front())
      must(engine.admin().create_topic({.name = topic, .partition_count = transaction_partitions}));
  }
  // A position is one of a record that is there.
  Producer producer = must(engine.producer({.acks = Acks::leader}));
  must(producer.send_sync({.topic = "bench", .value = "read", .partition = transaction_partitions - 1}));
  return engine;
}

/// The commits of one thread.
class TransactionSteps {
 public:
  TransactionSteps(const Engine& engine, int thread, Acks acks)
      : producer_(must(engine.transactional_producer(
            {.transactional_id = "worker-" + std::to_string(thread), .acks = acks}))),
        group_{.group_id = "group-" + std::to_string(thread)},
        partition_(thread % transaction_partitions) {}

  void commit() {
    Transaction transaction = must(producer_.begin());
    for (const char* const topic : transaction_topics)
      must(transaction.send({.topic = topic, .value = value_, .partition = partition_}));
    must(transaction.send_offsets(position_, group_));
    must(transaction.commit());
  }

 private:
  TransactionalProducer producer_;
  ConsumerGroupMetadata group_;
  PartitionId partition_;
  TopicPartitionOffsets position_{{{"bench", transaction_partitions - 1}, {.offset = 1}}};
  std::string value_ = payload(transaction_value_bytes);
};

}  // namespace seriatim::bench
