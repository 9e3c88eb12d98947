// Gathers the records of one producer for one partition until their batch is full or has lingered long
// enough.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <seriatim/producer.hpp>

#include "base/mutex.hpp"
#include "delivery/delivery.hpp"
#include "delivery/delivery_thread.hpp"
#include "format/batch/batch_builder.hpp"
#include "producer/producer_topic.hpp"

namespace seriatim::producer {

struct AccumulatorSettings {
  Acks acks = Acks::all;
  std::chrono::microseconds linger{0};
  std::size_t batch_size = 0;
};

/// Any thread. Batches leave in the order in which their records came: framing, appending and handing over
/// happen under one mutex.
class Accumulator final : public delivery::Lingering, public std::enable_shared_from_this<Accumulator> {
 public:
  /// The engine outlives it: whoever holds an accumulator is a producer, which holds the engine, or the
  /// delivery thread, which the engine joins.
  Accumulator(detail::EngineImpl& engine, directory::TopicPtr topic, partition::PartitionPtr partition,
              AccumulatorSettings settings,
              std::shared_ptr<transaction::ProducerIdentity> identity = nullptr);

  /// Takes a copy of the record. A full batch is appended in the caller's thread.
  /// Errors: record_too_large, invalid_timestamp: the record is not taken.
  Result<> add(const ProducerTopic& topic, const format::RecordInput& record, delivery::Delivery delivery);
  /// Appends what is there.
  void drain();
  void on_due(std::int64_t now_ns) override;

 private:
  struct Waiting {
    delivery::Delivery delivery;
    std::int64_t timestamp_ms;
  };
  void append_batch() SERIATIM_REQUIRES(mutex_);
  void append_range(std::size_t first, std::size_t count) SERIATIM_REQUIRES(mutex_);
  Result<partition::PartitionAppend> append_part(std::size_t first, std::size_t count)
      SERIATIM_REQUIRES(mutex_);
  Result<RecordMetadata> outcome_of(const Waiting& waiting, std::size_t index,
                                    const Result<partition::PartitionAppend>& appended) const
      SERIATIM_REQUIRES(mutex_);
  /// Every waiter for one of these records is told, whatever happens.
  void hand_over(std::size_t first, std::size_t count,
                 const Result<partition::PartitionAppend>& appended) noexcept SERIATIM_REQUIRES(mutex_);
  Result<partition::PartitionAppend> append_builder(format::BatchBuilder& builder) SERIATIM_REQUIRES(mutex_);

  detail::EngineImpl& engine_;
  const directory::TopicPtr topic_;
  const partition::PartitionPtr partition_;
  const AccumulatorSettings settings_;
  const std::shared_ptr<transaction::ProducerIdentity> identity_;  ///< nullptr: a plain producer.
  transaction::NextSequence next_sequence_{-1};
  base::Mutex mutex_;
  format::BatchBuilder builder_ SERIATIM_GUARDED_BY(mutex_);
  format::FrameOptions frame_options_ SERIATIM_GUARDED_BY(mutex_);
  std::vector<Waiting> waiting_ SERIATIM_GUARDED_BY(mutex_);
  std::int64_t due_ns_ SERIATIM_GUARDED_BY(mutex_) = 0;  // of the batch that gathers
};

}  // namespace seriatim::producer
