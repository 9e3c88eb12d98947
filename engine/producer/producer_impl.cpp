#include "producer/producer_impl.hpp"

#include <array>
#include <utility>

#include <seriatim/exception.hpp>

#include "base/boundary.hpp"
#include "base/deadline.hpp"
#include "format/batch/single_batch.hpp"
#include "format/batch_layout.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A batch up to this size is framed on the stack; larger ones in a buffer that the thread keeps. 4 KiB:
// arbitrary, well inside any stack.
constexpr std::size_t stack_batch_bytes = 4096;

format::RecordInput input_of(const ProducerRecord& record, const base::Clock& clock) noexcept {
  return {.key = record.key,
          .value = record.value,
          .timestamp_ms = record.timestamp ? record.timestamp->time_since_epoch().count() : clock.wall_ms(),
          .headers = record.headers};
}

std::size_t payload_bytes(const ProducerRecord& record) noexcept {
  std::size_t bytes = record.key.size() + record.value.size();
  for (const auto& header : record.headers) bytes += header.key.size() + header.value.size();
  return bytes;
}

std::vector<std::byte>& thread_buffer() {
  static thread_local std::vector<std::byte> buffer;
  return buffer;
}

format::BatchBuilder& thread_builder() {
  static thread_local format::BatchBuilder builder;
  return builder;
}

RecordMetadata metadata_of(PartitionId partition, const partition::PartitionAppend& appended, Acks acks,
                           std::int64_t stored_ms) noexcept {
  return {.partition = partition,
          .offset = acks == Acks::none ? -1 : appended.base_offset,
          .timestamp = Timestamp{std::chrono::milliseconds{appended.duplicate_of_ms.value_or(stored_ms)}},
          .duplicate = appended.duplicate_of_ms.has_value()};
}

}  // namespace

ProducerImpl::ProducerImpl(std::shared_ptr<EngineImpl> engine, ProducerOptions options,
                           std::shared_ptr<transaction::ProducerIdentity> identity)
    : engine_(std::move(engine)),
      options_(std::move(options)),
      identity_(std::move(identity)),
      interceptors_(options_.interceptors.empty()
                        ? nullptr
                        : std::make_shared<const std::vector<ProducerInterceptor>>(options_.interceptors)),
      topics_(*engine_, options_),
      memory_(std::make_shared<delivery::BufferMemory>(options_.buffer_memory,
                                                       engine_->counters.buffered_bytes_added,
                                                       engine_->counters.buffered_bytes_removed)),
      in_flight_(std::make_shared<delivery::InFlight>()) {}

ProducerImpl::~ProducerImpl() {
  if (!engine_->check_usable())
    return;  // The engine's close has delivered everything; a forked child has nothing of its own.
  // A send that ran beside an earlier close may have left something. On the delivery thread nothing can be
  // waited for, nor has to be: it goes on.
  auto closed = base::answered([this]() -> Result<> {
    drain(nullptr);
    if (engine_->delivery->is_current()) return {};
    return close(std::chrono::minutes(2));
  });
  if (!closed) engine_->report(LogLevel::error, closed.error().with_context("closing a producer").message());
}

Result<> ProducerImpl::check_usable() const {
  if (auto usable = engine_->check_usable(); !usable) return usable;
  if (closed_.load(std::memory_order_acquire))
    return Error(Errc::closed, "this producer was closed; make a new one with Engine::producer");
  return {};
}

Result<> ProducerImpl::find_route(const ProducerRecord& record, const format::RecordInput& input,
                                  Route& route) const {
  auto topic = topics_.find(record.topic);
  if (!topic) return topic.error();
  route.topic = *topic;
  const PartitionId count = (*topic)->topic->partition_count();
  if (record.partition) {
    route.index = *record.partition;
  } else if (options_.partitioner) {
    route.index = options_.partitioner(record.topic, record.key, count);
  } else {
    route.index = (*topic)->chooser.choose(record.key, payload_bytes(record), count);
  }
  auto partition = (*topic)->partition(route.index);
  if (!partition) return partition.error();
  route.partition = *partition;
  if (record.key.is_null() && (*topic)->needs_key()) {
    return Error(Errc::invalid_record, "topic " + std::string(record.topic) +
                                           " is compacted, so every record needs a key; give it one");
  }
  const auto size = format::check_record(input);
  if (!size) return size.error();
  route.batch_bytes = *size;
  route.sequence = record.sequence;
  return check_sequence(record.sequence);
}

// The hot path: frame outside any lock, then one append.
Result<partition::PartitionAppend> ProducerImpl::append_now(const Route& route,
                                                            const format::RecordInput& input,
                                                            std::int64_t stored_ms) const {
  auto options = route.topic->frame_options(stored_ms);
  if (options.codec != format::Codec::none) {
    auto& builder = thread_builder();
    builder.clear();
    if (auto added = builder.append(input); !added) return added.error();
    return append_framed(route, options, 1,
                         [&](const format::FrameOptions& final, format::FramedBatch& framed) {
                           return builder.frame(final, framed);
                         });
  }
  std::array<std::byte, stack_batch_bytes> stack;
  base::MutableByteSpan space{stack};
  if (route.batch_bytes > stack.size()) {
    auto& buffer = thread_buffer();
    if (buffer.size() < route.batch_bytes) buffer.resize(route.batch_bytes);
    space = buffer;
  }
  return append_framed(route, options, 1,
                       [&](const format::FrameOptions& final, format::FramedBatch& framed) {
                         format::frame_single(input, final, space, framed);
                         return Result<>();
                       });
}

std::int64_t ProducerImpl::stored_ms(const Route& route, const format::RecordInput& input) const noexcept {
  return route.topic->stamps_append_time() ? engine_->clock.wall_ms() : input.timestamp_ms;
}

DeliveryFuture ProducerImpl::send(const ProducerRecord& record) try {
  if (completes_at_once()) return DeliveryFuture(send_sync(record));
  auto state = std::make_shared<DeliveryState>();
  if (auto queued = enqueue(record, {.state = state}); !queued)
    return DeliveryFuture(Result<RecordMetadata>(queued.error()));
  return DeliveryFuture(std::move(state));
} catch (...) {
  return DeliveryFuture(Result<RecordMetadata>(current_error().with_outcome(Outcome::unknown)));
}

Result<> ProducerImpl::send(const ProducerRecord& record, DeliveryCallback callback) {
  return enqueue(record, {.callback = std::move(callback)});
}

Result<RecordMetadata> ProducerImpl::send_sync(const ProducerRecord& record) {
  if (!is_direct() || interceptors_ != nullptr) {
    auto state = std::make_shared<DeliveryState>();
    if (auto queued = enqueue(record, {.state = state}); !queued) return queued.error();
    // Somebody waits: what gathers with this record goes now.
    if (!is_direct()) drain(nullptr);
    return state->wait();
  }
  return append_record(record, nullptr);
}

Result<> ProducerImpl::check(const ProducerRecord& record) const {
  if (auto usable = check_usable(); !usable) return usable;
  const format::RecordInput input = input_of(record, engine_->clock);
  Route route;
  if (auto found = find_route(record, input, route); !found) return found;
  const auto options = route.topic->frame_options(stored_ms(route, input));
  if (options.codec == format::Codec::none) return route.partition->check_batch_size(route.batch_bytes);
  auto& builder = thread_builder();
  builder.clear();
  if (auto added = builder.append(input); !added) return added;
  format::FramedBatch framed;
  if (auto made = builder.frame(options, framed); !made) return made;
  return route.partition->check_batch_size(framed.bytes.size());
}

Result<RecordMetadata> ProducerImpl::send_within(const Within& transaction, const ProducerRecord& record) {
  return append_record(record, &transaction);
}

Result<group::PositionCommit> ProducerImpl::check_position(const TopicPartition& at,
                                                           const OffsetAndMetadata& position) const {
  auto topic = topics_.find(at.topic);
  if (!topic) return topic.error();
  const directory::Topic& found = *(*topic)->topic;
  auto end = found.log_end_offset(at.partition);
  if (!end) return end.error();
  return engine_->committed_offsets.check_position({found.id, *end}, at, position);
}

Result<RecordMetadata> ProducerImpl::append_record(const ProducerRecord& record, const Within* transaction) {
  auto outcome = [&]() -> Result<RecordMetadata> {
    // A transaction has looked, and nobody closes the producer that sends for it.
    if (transaction == nullptr) {
      if (auto usable = check_usable(); !usable) return usable.error();
    }
    const format::RecordInput input = input_of(record, engine_->clock);
    Route route;
    if (auto found = find_route(record, input, route); !found) return found.error();
    route.transaction = transaction;
    const std::int64_t at_ms = stored_ms(route, input);
    auto appended = append_now(route, input, at_ms);
    if (!appended) return appended.error();
    if (options_.acks == Acks::all) {
      if (auto durable = route.partition->wait_durable(*appended); !durable) return durable.error();
    }
    return metadata_of(route.index, *appended, options_.acks, at_ms);
  }();
  if (!outcome) engine_->counters.refused_appends.add();
  return outcome;
}

void ProducerImpl::acknowledge(const Result<RecordMetadata>& result) const {
  if (interceptors_ == nullptr) return;
  for (const auto& interceptor : *interceptors_) {
    if (interceptor.on_acknowledgement) interceptor.on_acknowledgement(result);
  }
}

Result<delivery::MemoryLease> ProducerImpl::lease_memory(std::size_t bytes) {
  auto lease = memory_->acquire(bytes, std::chrono::steady_clock::time_point::min());
  if (lease) return lease;
  // A lingering batch would keep its memory until it is due; used up memory makes it due, as in Kafka.
  drain(nullptr);
  // The delivery thread is the one that frees memory.
  if (options_.on_full == OnFull::fail || engine_->delivery->is_current()) return lease;
  return memory_->acquire(bytes, base::deadline_after(options_.max_block));
}

Result<> ProducerImpl::check_may_wait() const {
  if (auto usable = check_usable(); !usable) return usable;
  if (!engine_->delivery->is_current()) return {};
  return Error(Errc::invalid_state,
               "flush and close wait for outcomes, and this is the thread that delivers them (a callback, or "
               "a coroutine that a send resumed); "
               "call them from another thread");
}

// Everything that is not complete when it returns. Errors known at once are returned, after the interceptors
// were told.
Result<> ProducerImpl::enqueue(const ProducerRecord& record, delivery::Delivery delivery) {
  ProducerRecord intercepted = record;
  if (interceptors_ != nullptr) {
    for (const auto& interceptor : *interceptors_) {
      if (interceptor.on_send) interceptor.on_send(intercepted);
    }
  }
  auto queued = [&]() -> Result<> {
    if (auto usable = check_usable(); !usable) return usable;
    const format::RecordInput input = input_of(intercepted, engine_->clock);
    Route route;
    if (auto found = find_route(intercepted, input, route); !found) return found.error();
    auto lease = lease_memory(payload_bytes(intercepted) + format::header_bytes);
    if (!lease) return lease.error();
    delivery.memory = *std::move(lease);
    delivery.interceptors = interceptors_;
    return enqueue_routed(route, input, std::move(delivery));
  }();
  if (!queued) {
    engine_->counters.refused_appends.add();
    acknowledge(queued.error());
  }
  return queued;
}

Result<> ProducerImpl::enqueue_routed(const Route& route, const format::RecordInput& input,
                                      delivery::Delivery delivery) {
  delivery.in_flight = delivery::InFlightMark(in_flight_);
  if (!is_direct()) return accumulator_of(route)->add(*route.topic, input, std::move(delivery));
  const std::int64_t at_ms = stored_ms(route, input);
  auto appended = append_now(route, input, at_ms);
  if (!appended) return appended.error();
  const auto metadata = metadata_of(route.index, *appended, options_.acks, at_ms);
  if (options_.acks == Acks::all) {
    delivery::PendingDelivery pending{.partition = route.partition->shared_from_this(), .awaited = *appended};
    pending.deliveries.push_back(std::move(delivery));
    pending.outcomes.emplace_back(metadata);
    engine_->delivery->deliver(std::move(pending));
    return {};
  }
  delivery.complete(metadata);
  return {};
}

std::shared_ptr<producer::Accumulator> ProducerImpl::accumulator_of(const Route& route) {
  const base::MutexLock lock(accumulators_mutex_);
  auto& accumulator = accumulators_[route.partition];
  if (accumulator == nullptr) {
    accumulator = std::make_shared<producer::Accumulator>(
        *engine_, route.topic->topic, route.partition->shared_from_this(),
        producer::AccumulatorSettings{
            .acks = options_.acks, .linger = options_.linger, .batch_size = options_.batch_size},
        identity_);
  }
  return accumulator;
}

// One partition, or all of them for nullptr.
void ProducerImpl::drain(partition::Partition* partition) {
  std::vector<std::shared_ptr<producer::Accumulator>> drained;
  {
    const base::MutexLock lock(accumulators_mutex_);
    for (const auto& [key, accumulator] : accumulators_) {
      if (partition == nullptr || key == partition) drained.push_back(accumulator);
    }
  }
  for (const auto& accumulator : drained) accumulator->drain();
}

Result<> ProducerImpl::flush(std::chrono::milliseconds timeout) {
  if (auto may_wait = check_may_wait(); !may_wait) return may_wait;
  const auto deadline = base::deadline_after(timeout);
  drain(nullptr);
  if (in_flight_->wait_for_earlier(deadline)) return {};
  return Error(Errc::timed_out,
               "records are still waiting for their outcome after " + std::to_string(timeout.count()) +
                   " ms; they stay queued: flush again, or allow more time",
               0, Outcome::unknown);
}

Result<> ProducerImpl::close(std::chrono::milliseconds timeout) {
  if (closed_.load(std::memory_order_acquire)) return {};
  if (auto may_wait = check_may_wait(); !may_wait) return may_wait;
  auto flushed = flush(timeout);
  closed_.store(true, std::memory_order_release);
  return flushed;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
