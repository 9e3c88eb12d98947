// Behind `Producer`. Two ways into the log: at once in the caller's thread (linger 0), or through an
// accumulator per partition.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <seriatim/producer.hpp>

#include "api/accumulator.hpp"
#include "api/buffer_memory.hpp"
#include "api/delivery.hpp"
#include "api/delivery_thread.hpp"
#include "api/engine_impl.hpp"
#include "api/producer_topic.hpp"
#include "base/mutex.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ProducerImpl : std::enable_shared_from_this<ProducerImpl> {
  ProducerImpl(std::shared_ptr<EngineImpl> engine, ProducerOptions options);
  ~ProducerImpl();

  static Result<Producer> create(std::shared_ptr<EngineImpl> engine, ProducerOptions options);

  DeliveryFuture send(const ProducerRecord& record);
  Result<> send(const ProducerRecord& record, DeliveryCallback callback);
  Result<RecordMetadata> send_sync(const ProducerRecord& record);
  Result<AppendResult> append(const TopicPartition& at, std::span<const Record> records);
  Result<Claim> try_claim(const TopicPartition& at, std::size_t value_size, BytesView key);
  Result<> flush(std::chrono::milliseconds timeout);
  Result<> close(std::chrono::milliseconds timeout);

 private:
  /// Where a record goes, decided before anything is touched.
  struct Route {
    const api::ProducerTopic* topic = nullptr;
    partition::Partition* partition = nullptr;
    PartitionId index = 0;
    std::size_t batch_bytes = 0;  ///< As one uncompressed batch.
  };
  Result<> check_usable() const;
  Result<> find_route(const ProducerRecord& record, const format::RecordInput& input, Route& route) const;
  Result<partition::PartitionAppend> append_now(const Route& route, const format::RecordInput& input,
                                                std::int64_t stored_ms) const;
  std::int64_t stored_ms(const Route& route, const format::RecordInput& input) const noexcept;
  bool is_direct() const noexcept { return options_.linger.count() == 0; }
  bool completes_at_once() const noexcept {
    return is_direct() && options_.acks != Acks::all && interceptors_ == nullptr;
  }
  Result<> enqueue(const ProducerRecord& record, api::Delivery delivery);
  Result<> enqueue_routed(const Route& route, const format::RecordInput& input, api::Delivery delivery);
  std::shared_ptr<api::Accumulator> accumulator_of(const Route& route);
  void drain(partition::Partition* partition);
  void acknowledge(const Result<RecordMetadata>& result) const;
  Result<api::MemoryLease> lease_memory(std::size_t bytes);
  Result<> check_may_wait() const;
  Result<format::FramedBatch> frame_records(const api::ProducerTopic& topic,
                                            std::span<const Record> records) const;

  const std::shared_ptr<EngineImpl> engine_;
  const ProducerOptions options_;
  const std::shared_ptr<const std::vector<ProducerInterceptor>>
      interceptors_;  ///< nullptr if there are none.
  mutable api::ProducerTopics topics_;
  const std::shared_ptr<api::BufferMemory> memory_;
  const std::shared_ptr<api::InFlight> in_flight_;
  std::atomic<bool> closed_{false};
  base::Mutex accumulators_mutex_;
  std::map<partition::Partition*, std::shared_ptr<api::Accumulator>> accumulators_
      SERIATIM_GUARDED_BY(accumulators_mutex_);
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
