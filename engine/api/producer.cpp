// `Producer`: the public handle, and the calls that append a whole batch at once.
#include <seriatim/producer.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "directory/option_rules.hpp"
#include "format/batch/single_batch.hpp"
#include "format/compression/codec.hpp"
#include "producer/claim_impl.hpp"
#include "producer/producer_impl.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

constexpr std::size_t producer_name_bytes_max = 255;  // The catalog's.

struct Refusal {
  Errc code{};
  std::string reason{};
};

// Why a record is refused, independently of the rest of its batch.
std::optional<Refusal> refusal_of(const producer::ProducerTopic& topic, const Record& record) {
  if (record.key.is_null() && topic.needs_key())
    return Refusal{Errc::invalid_record, "has no key, and topic " + topic.topic->name + " is compacted"};
  constexpr std::int64_t no_timestamp_ms = -1;
  const std::int64_t ms = record.timestamp ? record.timestamp->time_since_epoch().count() : 0;
  if (ms >= no_timestamp_ms) return std::nullopt;
  return Refusal{Errc::invalid_timestamp, "has the negative timestamp " + std::to_string(ms) + " ms"};
}

// Names each bad record, so that one look is enough to mend them all. The code is that of the first.
Error refused_batch(const producer::ProducerTopic& topic, std::span<const Record> records) {
  constexpr std::size_t named_max = 20;  // arbitrary: a line that can be read
  std::size_t count = 0;
  Errc code{};
  std::string text;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto refusal = refusal_of(topic, records[i]);
    if (!refusal) continue;
    if (count++ == 0) code = refusal->code;
    if (count <= named_max) text += "record " + std::to_string(i) + " " + refusal->reason + "; ";
  }
  if (count > named_max) text += "and " + std::to_string(count - named_max) + " more; ";
  return {code, text +
                    "nothing was appended. Mend them (every record of a compacted topic needs a key; "
                    "timestamps are milliseconds since 1970, or -1 for none), or leave them out"};
}

}  // namespace

namespace detail {

Result<> ProducerImpl::check_options(const ProducerOptions& options) {
  const auto refuse = [](std::string what) {
    return Result<>(Error(Errc::invalid_argument, std::move(what)));
  };
  if (auto checked = directory::check_numbers(directory::producer_option_rules(), options); !checked)
    return checked;
  if (options.compression_type == CompressionType::producer) {
    return refuse(
        "ProducerOptions::compression_type names the producer's own codec; CompressionType::producer is a "
        "topic's setting");
  }
  if (auto checked = directory::check_choices(directory::producer_choice_rules(), options); !checked)
    return checked;
  if (options.name.size() > producer_name_bytes_max || options.name.find('\0') != std::string::npos) {
    return refuse("ProducerOptions::name has " + std::to_string(options.name.size()) +
                  " bytes; it must be at most " + std::to_string(producer_name_bytes_max) +
                  ", none of them zero");
  }
  const int codec =
      static_cast<int>(options.compression_type) - static_cast<int>(CompressionType::uncompressed);
  return format::check_level(static_cast<format::Codec>(codec), options.compression_level);
}

Result<Producer> ProducerImpl::create(std::shared_ptr<EngineImpl> engine, ProducerOptions options) {
  if (auto writable = engine->check_writable(); !writable) return writable.error();
  if (auto checked = check_options(options); !checked) return checked.error();
  auto identity = identify(*engine, options);
  if (!identity) return identity.error();
  return Producer(
      std::make_shared<ProducerImpl>(std::move(engine), std::move(options), *std::move(identity)));
}

// A named one gets the id that it had; every other a new one, since nobody could know its old one.
Result<std::shared_ptr<transaction::ProducerIdentity>> ProducerImpl::identify(
    EngineImpl& engine, const ProducerOptions& options) {
  if (options.name.empty() && !options.enable_idempotence)
    return std::shared_ptr<transaction::ProducerIdentity>();
  if (options.name.empty()) {
    auto id = engine.producer_ids.next();
    if (!id) return id.error();
    return std::make_shared<transaction::ProducerIdentity>(*id, ProducerEpoch{0}, std::string());
  }
  auto named = engine.producer_ids.named(options.name);
  if (!named) return named.error();
  auto identity = std::make_shared<transaction::ProducerIdentity>(named->producer_id, named->producer_epoch,
                                                                  options.name);
  engine.producer_ids.hold(identity, options.name);
  return identity;
}

std::optional<ProducerId> ProducerImpl::producer_id() const noexcept {
  return identity_ == nullptr ? std::optional<ProducerId>() : identity_->id();
}

Result<> ProducerImpl::check_sequence(std::optional<Sequence> sequence) const {
  if (!sequence) return {};
  if (identity_ == nullptr || !is_direct()) {
    return Error(
        Errc::invalid_state,
        "a record with a sequence needs a producer with ProducerOptions::name or enable_idempotence, "
        "and linger 0");
  }
  if (*sequence >= 0) return {};
  return Error(Errc::invalid_argument,
               "the sequence is " + std::to_string(*sequence) + "; sequences begin at 0");
}

Result<std::optional<Sequence>> ProducerImpl::last_sequence(const TopicPartition& at) const {
  if (auto usable = check_usable(); !usable) return usable.error();
  if (identity_ == nullptr) {
    return Error(Errc::invalid_state,
                 "only producers with ProducerOptions::name or enable_idempotence have sequences");
  }
  auto partition = engine_->partition(at.topic, at.partition);
  if (!partition) return partition.error();
  const auto known = (*partition)->producer(identity_->id());
  if (!known || known->epoch != identity_->epoch() || known->batches.empty())
    return std::optional<Sequence>();
  return std::optional<Sequence>(known->batches.newest().last_sequence);
}

Result<> ProducerImpl::gather_records(const producer::ProducerTopic& topic, std::span<const Record> records,
                                      std::int64_t now_ms, format::BatchBuilder& builder) {
  for (const Record& record : records) {
    if (record.key.is_null() && topic.needs_key()) return refused_batch(topic, records);
    const std::int64_t timestamp_ms =
        record.timestamp ? record.timestamp->time_since_epoch().count() : now_ms;
    auto added = builder.append(
        {.key = record.key, .value = record.value, .timestamp_ms = timestamp_ms, .headers = record.headers});
    if (added) continue;
    if (added.error().code() == Errc::invalid_timestamp) return refused_batch(topic, records);
    return added.error().with_context("record " + std::to_string(&record - records.data()));
  }
  return {};
}

Result<AppendResult> ProducerImpl::append(const TopicPartition& at, std::span<const Record> records,
                                          std::optional<Sequence> first_sequence) {
  return append_batch(at, records, first_sequence, nullptr);
}

Result<AppendResult> ProducerImpl::append_within(const Within& transaction, const TopicPartition& at,
                                                 std::span<const Record> records) {
  return append_batch(at, records, std::nullopt, &transaction);
}

Result<AppendResult> ProducerImpl::append_batch(const TopicPartition& at, std::span<const Record> records,
                                                std::optional<Sequence> first_sequence,
                                                const Within* transaction) {
  static thread_local format::BatchBuilder builder;
  auto outcome = [&]() -> Result<AppendResult> {
    if (auto usable = check_usable(); !usable) return usable.error();
    if (records.empty()) return Error(Errc::invalid_argument, "Producer::append needs at least one record");
    auto topic = topics_.find(at.topic);
    if (!topic) return topic.error();
    auto partition = (*topic)->partition(at.partition);
    if (!partition) return partition.error();
    if (!is_direct()) drain(*partition);
    if (auto checked = check_sequence(first_sequence); !checked) return checked.error();
    const std::int64_t now_ms = engine_->clock.wall_ms();
    builder.clear();
    if (auto gathered = gather_records(**topic, records, now_ms, builder); !gathered) return gathered.error();
    std::int64_t timestamp_ms = 0;
    const Route route{.topic = *topic,
                      .partition = *partition,
                      .index = at.partition,
                      .sequence = first_sequence,
                      .transaction = transaction};
    auto options = (*topic)->frame_options(now_ms);
    auto appended = append_framed(route, options, static_cast<std::int32_t>(records.size()),
                                  [&](const format::FrameOptions& final, format::FramedBatch& framed) {
                                    auto made = builder.frame(final, framed);
                                    if (made) timestamp_ms = framed.header.max_timestamp_ms;
                                    return made;
                                  });
    if (!appended) return appended.error();
    if (options_.acks == Acks::all) {
      if (auto durable = (*partition)->wait_durable(*appended); !durable) return durable.error();
    }
    const bool none = options_.acks == Acks::none;
    return AppendResult{
        .base_offset = none ? -1 : appended->base_offset,
        .last_offset = none ? -1 : appended->last_offset,
        .timestamp = Timestamp{std::chrono::milliseconds{appended->duplicate_of_ms.value_or(timestamp_ms)}},
        .duplicate = appended->duplicate_of_ms.has_value()};
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
    if (identity_ != nullptr) {
      return Error(Errc::invalid_state,
                   "a claim is written in place, before its sequence is known: claim with a producer without "
                   "name and idempotence, or use send");
    }
    if (!is_direct()) drain(*partition);
    return ClaimImpl::create(engine_, **topic, (*partition)->shared_from_this(),
                             {.key = key, .value_size = value_size, .acks = options_.acks});
  }();
  if (!outcome) engine_->counters.refused_appends.add();
  return outcome;
}

}  // namespace detail

Result<Producer> Engine::producer(ProducerOptions options) const try {
  if (!impl_) return base::moved_from("Engine");
  return detail::ProducerImpl::create(impl_, std::move(options));
} catch (...) {
  return current_error();
}

Producer::Producer(std::shared_ptr<detail::ProducerImpl> impl) noexcept : impl_(std::move(impl)) {}
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&&) noexcept = default;
Producer::~Producer() = default;

DeliveryFuture Producer::send(const ProducerRecord& record) {
  if (!impl_) return detail::ProducerImpl::refused(base::moved_from("Producer"));
  return impl_->send(record);
}
Result<> Producer::send(const ProducerRecord& record, DeliveryCallback callback) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->send(record, std::move(callback));
} catch (...) {
  return current_error();
}
Result<> Producer::check(const ProducerRecord& record) const try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->check(record);
} catch (...) {
  return current_error();
}
Result<RecordMetadata> Producer::send_sync(const ProducerRecord& record) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->send_sync(record);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<AppendResult> Producer::append(const TopicPartition& at, std::span<const Record> records) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->append(at, records, std::nullopt);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<AppendResult> Producer::append(const TopicPartition& at, std::span<const Record> records,
                                      Sequence first_sequence) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->append(at, records, first_sequence);
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}
Result<std::optional<Sequence>> Producer::last_sequence(const TopicPartition& at) const try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->last_sequence(at);
} catch (...) {
  return current_error();
}
std::optional<ProducerId> Producer::producer_id() const noexcept {
  return impl_ ? impl_->producer_id() : std::nullopt;
}
Result<Claim> Producer::try_claim(const TopicPartition& at, std::size_t value_size, BytesView key) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->try_claim(at, value_size, key);
} catch (...) {
  return current_error();
}
Result<> Producer::flush(std::chrono::milliseconds timeout) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->flush(timeout);
} catch (...) {
  return current_error();
}
Result<> Producer::close(std::chrono::milliseconds timeout) try {
  if (!impl_) return base::moved_from("Producer");
  return impl_->close(timeout);
} catch (...) {
  return current_error();
}

}  // namespace v0
}  // namespace seriatim
