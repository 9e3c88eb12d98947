// Behind `Producer`. Two ways into the log: at once in the caller's thread (linger 0), or through an
// accumulator per partition.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <seriatim/producer.hpp>

#include "base/mutex.hpp"
#include "delivery/buffer_memory.hpp"
#include "delivery/delivery.hpp"
#include "delivery/delivery_thread.hpp"
#include "directory/engine_impl.hpp"
#include "producer/accumulator.hpp"
#include "producer/producer_topic.hpp"
#include "transaction/producer_identity.hpp"
#include "transaction/transaction_coordinator.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ProducerImpl : std::enable_shared_from_this<ProducerImpl> {
  ProducerImpl(std::shared_ptr<EngineImpl> engine, ProducerOptions options,
               std::shared_ptr<transaction::ProducerIdentity> identity);
  ~ProducerImpl();

  static Result<Producer> create(std::shared_ptr<EngineImpl> engine, ProducerOptions options);

  DeliveryFuture send(const ProducerRecord& record);
  static DeliveryFuture refused(Error error) {
    return DeliveryFuture(Result<RecordMetadata>(std::move(error)));
  }
  Result<> send(const ProducerRecord& record, DeliveryCallback callback);
  Result<RecordMetadata> send_sync(const ProducerRecord& record);
  /// A transaction that records go into.
  struct Within {
    transaction::TransactionCoordinator& coordinator;
    transaction::Holder& holder;
    std::uint64_t number = 0;
    /// Of its records; this producer's own acks are those of each send.
    partition::Durability durability = partition::Durability::durable;
  };
  /// As Producer::check.
  Result<> check(const ProducerRecord& record) const;
  Result<RecordMetadata> send_within(const Within& transaction, const ProducerRecord& record);
  Result<AppendResult> append_within(const Within& transaction, const TopicPartition& at,
                                     std::span<const Record> records);
  /// CommittedOffsets::check_position of a topic that is found as those of records are, without a lock.
  Result<group::PositionCommit> check_position(const TopicPartition& at,
                                               const OffsetAndMetadata& position) const;
  /// Errors: invalid_argument.
  static Result<> check_options(const ProducerOptions& options);
  Result<AppendResult> append(const TopicPartition& at, std::span<const Record> records,
                              std::optional<Sequence> first_sequence);
  Result<std::optional<Sequence>> last_sequence(const TopicPartition& at) const;
  std::optional<ProducerId> producer_id() const noexcept;
  Result<Claim> try_claim(const TopicPartition& at, std::size_t value_size, BytesView key);
  Result<> flush(std::chrono::milliseconds timeout);
  Result<> close(std::chrono::milliseconds timeout);

 private:
  /// Where a record goes, decided before anything is touched.
  struct Route {
    const producer::ProducerTopic* topic = nullptr;
    partition::Partition* partition = nullptr;
    PartitionId index = 0;
    std::size_t batch_bytes = 0;  ///< As one uncompressed batch.
    std::optional<Sequence> sequence{};
    const Within* transaction = nullptr;
  };
  static Result<std::shared_ptr<transaction::ProducerIdentity>> identify(EngineImpl& engine,
                                                                         const ProducerOptions& options);
  Result<> check_sequence(std::optional<Sequence> sequence) const;
  /// Appends what `frame` makes of the topic's options, which get what the producer adds.
  template <class Frame>
  Result<partition::PartitionAppend> append_framed(const Route& route, format::FrameOptions& options,
                                                   std::int32_t record_count, const Frame& frame) const {
    // Before any lock is taken.
    const bool is_journalled = route.transaction != nullptr
                                   ? route.transaction->durability == partition::Durability::durable
                                   : options_.acks == Acks::all;
    if (is_journalled) {
      if (auto admitted = engine_->journal_limit.admit(); !admitted) return admitted.error();
    }
    if (route.transaction != nullptr) {
      const Within& within = *route.transaction;
      return within.coordinator.append(within.holder, within.number,
                                       {.partition = *route.partition,
                                        .topic_id = route.topic->topic->id,
                                        .record_count = record_count,
                                        .durability = within.durability,
                                        .options = options,
                                        .frame = std::cref(frame)});
    }
    const auto durability = producer::durability_of(options_.acks);
    if (identity_ == nullptr) {
      format::FramedBatch framed;
      if (auto made = frame(options, framed); !made) return made.error();
      return route.partition->append(framed, durability);
    }
    return identity_->append({.partition = *route.partition,
                              .durability = durability,
                              .record_count = record_count,
                              .first_sequence = route.sequence},
                             route.topic->next_sequences[static_cast<std::size_t>(route.index)], options,
                             frame);
  }
  Result<> check_usable() const;
  Result<RecordMetadata> append_record(const ProducerRecord& record, const Within* transaction);
  Result<AppendResult> append_batch(const TopicPartition& at, std::span<const Record> records,
                                    std::optional<Sequence> first_sequence, const Within* transaction);
  Result<> find_route(const ProducerRecord& record, const format::RecordInput& input, Route& route) const;
  Result<partition::PartitionAppend> append_now(const Route& route, const format::RecordInput& input,
                                                std::int64_t stored_ms) const;
  std::int64_t stored_ms(const Route& route, const format::RecordInput& input) const noexcept;
  bool is_direct() const noexcept { return options_.linger.count() == 0; }
  bool completes_at_once() const noexcept {
    return is_direct() && options_.acks != Acks::all && interceptors_ == nullptr;
  }
  Result<> enqueue(const ProducerRecord& record, delivery::Delivery delivery);
  Result<> enqueue_routed(const Route& route, const format::RecordInput& input, delivery::Delivery delivery);
  std::shared_ptr<producer::Accumulator> accumulator_of(const Route& route);
  void drain(partition::Partition* partition);
  void acknowledge(const Result<RecordMetadata>& result) const;
  Result<delivery::MemoryLease> lease_memory(std::size_t bytes);
  Result<> check_may_wait() const;
  static Result<> gather_records(const producer::ProducerTopic& topic, std::span<const Record> records,
                                 std::int64_t now_ms, format::BatchBuilder& builder);

  const std::shared_ptr<EngineImpl> engine_;
  const ProducerOptions options_;
  const std::shared_ptr<transaction::ProducerIdentity> identity_;  ///< nullptr: a plain producer.
  const std::shared_ptr<const std::vector<ProducerInterceptor>>
      interceptors_;  ///< nullptr if there are none.
  mutable producer::ProducerTopics topics_;
  const std::shared_ptr<delivery::BufferMemory> memory_;
  const std::shared_ptr<delivery::InFlight> in_flight_;
  std::atomic<bool> closed_{false};
  base::Mutex accumulators_mutex_;
  std::map<partition::Partition*, std::shared_ptr<producer::Accumulator>> accumulators_
      SERIATIM_GUARDED_BY(accumulators_mutex_);
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
