#include "producer/accumulator.hpp"

#include <utility>

#include "base/boundary.hpp"
#include "format/batch/record_cursor.hpp"
#include "format/batch_layout.hpp"

namespace seriatim::producer {

Accumulator::Accumulator(detail::EngineImpl& engine, directory::TopicPtr topic,
                         partition::PartitionPtr partition, AccumulatorSettings settings,
                         std::shared_ptr<transaction::ProducerIdentity> identity)
    : engine_(engine),
      topic_(std::move(topic)),
      partition_(std::move(partition)),
      settings_(settings),
      identity_(std::move(identity)) {}

Result<> Accumulator::add(const ProducerTopic& topic, const format::RecordInput& record,
                          delivery::Delivery delivery) {
  const base::MutexLock lock(mutex_);
  if (!builder_.empty() && builder_.upper_bound_bytes(record) > settings_.batch_size) append_batch();
  // Before the record is in the batch: with each goes somebody who waits for it.
  if (waiting_.size() == waiting_.capacity()) waiting_.reserve(2 * waiting_.size() + 16);
  if (auto appended = builder_.append(record); !appended) {
    return appended;
  }
  const bool first = waiting_.empty();
  if (first) frame_options_ = topic.frame_options(format::no_timestamp_ms);
  waiting_.push_back({std::move(delivery), record.timestamp_ms});
  if (builder_.size_bytes() >= settings_.batch_size) {
    append_batch();
  } else if (first) {
    due_ns_ = engine_.clock.monotonic_ns() + std::chrono::nanoseconds(settings_.linger).count();
    // An engine that is being closed calls nobody back, nor one that has no memory to remember it.
    const auto scheduled = base::answered([&, due_ns = due_ns_]() -> Result<bool> {
      return engine_.delivery->schedule(weak_from_this(), due_ns);
    });
    if (!scheduled || !*scheduled) append_batch();
  }
  return {};
}

void Accumulator::on_due(std::int64_t now_ns) {
  const base::MutexLock lock(mutex_);
  // The batch that the call was meant for may have been full before; the one that gathers has a call of its
  // own.
  if (now_ns >= due_ns_) append_batch();
}

void Accumulator::drain() {
  const base::MutexLock lock(mutex_);
  append_batch();
}

void Accumulator::append_batch() {
  if (waiting_.empty()) return;
  if (frame_options_.log_append_time) frame_options_.append_time_ms = engine_.clock.wall_ms();
  auto appended =
      base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return append_builder(builder_); });
  const std::size_t count = waiting_.size();
  if (!appended && appended.error().code() == Errc::record_too_large && count > 1) {
    // As Kafka: a batch that is too large in sum is split, in order; a single record that is too large fails
    // alone.
    append_range(0, count / 2);
    append_range(count / 2, count - count / 2);
  } else {
    hand_over(0, count, appended);
  }
  builder_.clear();
  waiting_.clear();
}

void Accumulator::append_range(std::size_t first, std::size_t count) {
  const auto appended =
      base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return append_part(first, count); });
  if (!appended && appended.error().code() == Errc::record_too_large && count > 1) {
    append_range(first, count / 2);
    append_range(first + count / 2, count - count / 2);
    return;
  }
  hand_over(first, count, appended);
}

Result<partition::PartitionAppend> Accumulator::append_part(std::size_t first, std::size_t count) {
  auto plain_options = frame_options_;
  plain_options.codec = format::Codec::none;
  auto whole = builder_.frame(plain_options);
  if (!whole) return whole.error();
  format::RecordCursor cursor(whole->bytes.subspan(format::header_bytes), whole->header.record_count);
  format::BatchBuilder part;
  format::DecodedRecord record;
  std::vector<HeaderView> headers;
  Result<> built;
  for (std::size_t i = 0; i < first + count && built.ok(); ++i) {
    SERIATIM_ASSERT(cursor.next(record) == format::RecordCursor::Step::record);
    if (i < first) continue;
    headers.clear();
    format::HeaderCursor header_cursor(record.headers, record.header_count);
    for (HeaderView header; header_cursor.next(header);) headers.push_back(header);
    built = part.append({.key = record.key,
                         .value = record.value,
                         .timestamp_ms = waiting_[i].timestamp_ms,
                         .headers = headers});
  }
  if (!built) return built.error();
  return append_builder(part);
}

Result<partition::PartitionAppend> Accumulator::append_builder(format::BatchBuilder& builder) {
  const auto durability = durability_of(settings_.acks);
  if (durability == partition::Durability::durable) {
    if (auto admitted = engine_.journal_limit.admit(); !admitted) return admitted.error();
  }
  if (identity_ != nullptr) {
    return identity_->append({.partition = *partition_,
                              .durability = durability,
                              .record_count = static_cast<std::int32_t>(builder.record_count())},
                             next_sequence_, frame_options_,
                             [&](const format::FrameOptions& options, format::FramedBatch& framed) {
                               return builder.frame(options, framed);
                             });
  }
  format::FramedBatch framed;
  if (auto made = builder.frame(frame_options_, framed); !made) return made.error();
  return partition_->append(framed, durability);
}

Result<RecordMetadata> Accumulator::outcome_of(const Waiting& waiting, std::size_t index,
                                               const Result<partition::PartitionAppend>& appended) const {
  if (!appended) return appended.error();
  const std::int64_t timestamp_ms =
      frame_options_.log_append_time ? frame_options_.append_time_ms : waiting.timestamp_ms;
  return RecordMetadata{
      .partition = partition_->name().partition,
      .offset = settings_.acks == Acks::none ? -1 : appended->base_offset + static_cast<Offset>(index),
      .timestamp = Timestamp{std::chrono::milliseconds{timestamp_ms}}};
}

void Accumulator::hand_over(std::size_t first, std::size_t count,
                            const Result<partition::PartitionAppend>& appended) noexcept {
  delivery::PendingDelivery pending{.partition = partition_};
  if (appended && settings_.acks == Acks::all) pending.awaited = *appended;
  if (!appended) engine_.counters.refused_appends.add(count);
  const auto has_room = base::answered([&]() -> Result<> {
    pending.deliveries.reserve(count);
    pending.outcomes.reserve(count);
    return {};
  });
  const auto durable = base::answered([&]() -> Result<> {
    if (has_room || pending.awaited.last_offset < 0) return {};
    return partition_->wait_durable(pending.awaited);
  });
  for (std::size_t i = 0; i < count; ++i) {
    auto& waiting = waiting_[first + i];
    auto outcome = outcome_of(waiting, i, appended);
    if (!has_room) {
      // Told here and now: who waits must not wait for ever.
      waiting.delivery.complete(durable ? outcome : Result<RecordMetadata>(durable.error()));
      continue;
    }
    pending.outcomes.push_back(std::move(outcome));
    pending.deliveries.push_back(std::move(waiting.delivery));
  }
  if (has_room) engine_.delivery->deliver(std::move(pending));
}

}  // namespace seriatim::producer
