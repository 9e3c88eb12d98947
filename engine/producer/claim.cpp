#include "producer/claim_impl.hpp"

#include <limits>
#include <utility>

#include <seriatim/exception.hpp>

#include "base/moved_from.hpp"
#include "format/batch/single_batch.hpp"
#include "format/batch_header.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

Result<Claim> ClaimImpl::create(const std::shared_ptr<EngineImpl>& engine,
                                const producer::ProducerTopic& topic, partition::PartitionPtr partition,
                                const ClaimRequest& request) {
  if (request.value_size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    return Error(Errc::record_too_large, "a value of " + std::to_string(request.value_size) +
                                             " bytes exceeds Kafka's limit of 2147483647; send smaller ones");
  }
  // The value's bytes are not there yet; only its size is looked at. A non-null pointer tells "empty" from
  // "null".
  const format::RecordInput input{.key = request.key,
                                  .value = BytesView("", request.value_size),
                                  .timestamp_ms = engine->clock.wall_ms()};
  const auto size = format::check_record(input);
  if (!size) return size.error();
  if (request.acks == Acks::all) {
    if (auto admitted = engine->journal_limit.admit(); !admitted) return admitted.error();
  }
  // Before the claim: nothing may fail while it is held and nobody has it.
  auto impl = std::make_unique<ClaimImpl>();
  auto space = partition->claim(*size);
  if (!space) return space.error();
  auto options = topic.frame_options(input.timestamp_ms);
  options.codec = format::Codec::none;  // A value written in place cannot be compressed.
  std::byte* value = format::open_single(input, options, *space);
  impl->engine = engine;
  impl->partition = std::move(partition);
  impl->acks = request.acks;
  impl->timestamp_ms = input.timestamp_ms;
  impl->batch = *space;
  impl->claiming.emplace();
  impl->value = {value, request.value_size};
  return Claim(std::move(impl));
}

ClaimImpl::~ClaimImpl() { abort(); }

void ClaimImpl::abort() noexcept {
  if (std::exchange(batch, {}).empty()) return;
  value = {};
  partition->abandon_claim();
  claiming.reset();
}

Result<RecordMetadata> ClaimImpl::commit() {
  if (batch.empty()) {
    return Error(Errc::invalid_state,
                 "this claim was committed or aborted before; claim again for the next record");
  }
  format::seal_batch(batch);
  value = {};
  auto appended =
      partition->finish_claim(format::framed_batch(std::exchange(batch, {})), producer::durability_of(acks));
  claiming.reset();
  if (!appended) return appended.error();
  if (acks == Acks::all) {
    if (auto durable = partition->wait_durable(*appended); !durable) return durable.error();
  }
  return RecordMetadata{.partition = partition->name().partition,
                        .offset = acks == Acks::none ? -1 : appended->base_offset,
                        .timestamp = Timestamp{std::chrono::milliseconds{timestamp_ms}}};
}

}  // namespace detail

Claim::Claim(std::unique_ptr<detail::ClaimImpl> impl) noexcept : impl_(std::move(impl)) {}
Claim::Claim(Claim&&) noexcept = default;
Claim& Claim::operator=(Claim&&) noexcept = default;
Claim::~Claim() = default;

std::span<std::byte> Claim::value() noexcept { return impl_ ? impl_->value : std::span<std::byte>(); }

Result<RecordMetadata> Claim::commit() try {
  if (!impl_) return base::moved_from("Claim");
  return impl_->commit();
} catch (...) {
  return current_error().with_outcome(Outcome::unknown);
}

void Claim::abort() noexcept {
  if (impl_) impl_->abort();
}

}  // namespace v0
}  // namespace seriatim
