// `Producer`: the public handle, and the calls that append a whole batch at once.
#include <seriatim/producer.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include "api/claim_impl.hpp"
#include "api/producer_impl.hpp"
#include "format/compression/codec.hpp"
#include "format/single_batch.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

// Kafka has no upper bound; above this a lingering batch could not be stored under any usual
// max.message.bytes.
constexpr std::size_t batch_size_max = 16U << 20;
constexpr std::chrono::hours linger_max{24};  // Arbitrary; keeps due times in range.

Result<> check_options(const ProducerOptions& options) {
  const auto refuse = [](std::string what) {
    return Result<>(Error(Errc::invalid_argument, std::move(what)));
  };
  if (options.linger.count() < 0 || options.linger > linger_max) {
    return refuse("ProducerOptions::linger is " + std::to_string(options.linger.count()) +
                  " us; it must be 0 to 24 hours");
  }
  if (options.batch_size < 1 || options.batch_size > batch_size_max) {
    return refuse("ProducerOptions::batch_size is " + std::to_string(options.batch_size) +
                  "; it must be 1 to " + std::to_string(batch_size_max));
  }
  if (options.buffer_memory < 1) return refuse("ProducerOptions::buffer_memory must be at least 1 byte");
  if (options.max_block.count() < 0) return refuse("ProducerOptions::max_block must be 0 or more");
  if (options.compression_type == CompressionType::producer) {
    return refuse(
        "ProducerOptions::compression_type names the producer's own codec; CompressionType::producer is a "
        "topic's setting");
  }
  const int codec =
      static_cast<int>(options.compression_type) - static_cast<int>(CompressionType::uncompressed);
  return format::check_level(static_cast<format::Codec>(codec), options.compression_level);
}

}  // namespace

namespace detail {

Result<Producer> ProducerImpl::create(std::shared_ptr<EngineImpl> engine, ProducerOptions options) {
  if (auto writable = engine->check_writable(); !writable) return writable.error();
  if (auto checked = check_options(options); !checked) return checked.error();
  return Producer(std::make_shared<ProducerImpl>(std::move(engine), std::move(options)));
}

Result<format::FramedBatch> ProducerImpl::frame_records(const api::ProducerTopic& topic,
                                                        std::span<const Record> records) const {
  static thread_local format::BatchBuilder builder;
  builder.clear();
  const std::int64_t now_ms = engine_->clock.wall_ms();
  for (const Record& record : records) {
    if (record.key.is_null() && topic.needs_key()) {
      return Error(Errc::invalid_record, "record " + std::to_string(&record - records.data()) +
                                             " has no key, but topic " + topic.topic->name +
                                             " is compacted; give every record one. Nothing was appended");
    }
    const std::int64_t timestamp_ms =
        record.timestamp ? record.timestamp->time_since_epoch().count() : now_ms;
    auto added = builder.append(
        {.key = record.key, .value = record.value, .timestamp_ms = timestamp_ms, .headers = record.headers});
    if (!added) return added.error().with_context("record " + std::to_string(&record - records.data()));
  }
  return builder.frame(topic.frame_options(now_ms));
}

Result<AppendResult> ProducerImpl::append(const TopicPartition& at, std::span<const Record> records) {
  auto outcome = [&]() -> Result<AppendResult> {
    if (auto usable = check_usable(); !usable) return usable.error();
    if (records.empty()) return Error(Errc::invalid_argument, "Producer::append needs at least one record");
    auto topic = topics_.find(at.topic);
    if (!topic) return topic.error();
    auto partition = (*topic)->partition(at.partition);
    if (!partition) return partition.error();
    if (!is_direct()) drain(*partition);
    auto framed = frame_records(**topic, records);
    if (!framed) return framed.error();
    auto appended = (*partition)->append(*framed, api::durability_of(options_.acks));
    if (!appended) return appended.error();
    if (options_.acks == Acks::all) {
      if (auto durable = (*partition)->wait_durable(*appended); !durable) return durable.error();
    }
    const bool none = options_.acks == Acks::none;
    return AppendResult{.base_offset = none ? -1 : appended->base_offset,
                        .last_offset = none ? -1 : appended->last_offset,
                        .timestamp = Timestamp{std::chrono::milliseconds{framed->header.max_timestamp_ms}}};
  }();
  if (!outcome) engine_->counters.refused_appends.add();
  return outcome;
}

Result<Claim> ProducerImpl::try_claim(const TopicPartition& at, std::size_t value_size, BytesView key) {
  auto outcome = [&]() -> Result<Claim> {
    if (auto usable = check_usable(); !usable) return usable.error();
    auto topic = topics_.find(at.topic);
    if (!topic) return topic.error();
    auto partition = (*topic)->partition(at.partition);
    if (!partition) return partition.error();
    if (key.is_null() && (*topic)->needs_key()) {
      return Error(Errc::invalid_record,
                   "topic " + at.topic + " is compacted, so every record needs a key; give the claim one");
    }
    if (!is_direct()) drain(*partition);
    return ClaimImpl::create(engine_, **topic, (*partition)->shared_from_this(),
                             {.key = key, .value_size = value_size, .acks = options_.acks});
  }();
  if (!outcome) engine_->counters.refused_appends.add();
  return outcome;
}

}  // namespace detail

Result<Producer> Engine::producer(ProducerOptions options) const {
  return detail::ProducerImpl::create(impl_, std::move(options));
}

Producer::Producer(std::shared_ptr<detail::ProducerImpl> impl) noexcept : impl_(std::move(impl)) {}
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&&) noexcept = default;
Producer::~Producer() = default;

DeliveryFuture Producer::send(const ProducerRecord& record) { return impl_->send(record); }
Result<> Producer::send(const ProducerRecord& record, DeliveryCallback callback) {
  return impl_->send(record, std::move(callback));
}
Result<RecordMetadata> Producer::send_sync(const ProducerRecord& record) { return impl_->send_sync(record); }
Result<AppendResult> Producer::append(const TopicPartition& at, std::span<const Record> records) {
  return impl_->append(at, records);
}
Result<Claim> Producer::try_claim(const TopicPartition& at, std::size_t value_size, BytesView key) {
  return impl_->try_claim(at, value_size, key);
}
Result<> Producer::flush(std::chrono::milliseconds timeout) { return impl_->flush(timeout); }
Result<> Producer::close(std::chrono::milliseconds timeout) { return impl_->close(timeout); }

}  // namespace v0
}  // namespace seriatim
