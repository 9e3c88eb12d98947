// Which partition a record without one goes to: Kafka's rules (kafka-log 7.3). One chooser per producer and
// topic.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <seriatim/producer.hpp>

namespace seriatim::producer {

/// Any thread.
class PartitionChooser {
 public:
  /// @param seed  makes producers begin at different partitions.
  PartitionChooser(Partitioning rule, std::size_t batch_size, std::uint64_t seed) noexcept;

  /// 0 .. partition_count - 1. `record_bytes` counts towards the sticky partition's share.
  PartitionId choose(BytesView key, std::size_t record_bytes, PartitionId partition_count) noexcept;

 private:
  PartitionId sticky(std::size_t record_bytes, PartitionId partition_count) noexcept;

  const Partitioning rule_;
  const std::size_t batch_size_;
  std::atomic<std::uint64_t> random_;
  std::atomic<std::uint32_t> next_;
  std::atomic<std::size_t> sticky_bytes_{0};
};

}  // namespace seriatim::producer
