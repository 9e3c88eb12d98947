// Behind `Claim`: a batch of one record, framed in place at the end of the active segment while the
// partition's append mutex is held.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <seriatim/producer.hpp>

#include "directory/engine_impl.hpp"
#include "partition/partition.hpp"
#include "producer/producer_topic.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ClaimRequest {
  BytesView key{};
  std::size_t value_size = 0;
  Acks acks = Acks::all;
};

struct ClaimImpl {
  static Result<Claim> create(const std::shared_ptr<EngineImpl>& engine, const producer::ProducerTopic& topic,
                              partition::PartitionPtr partition, const ClaimRequest& request);
  ~ClaimImpl();

  Result<RecordMetadata> commit();
  void abort() noexcept;

  std::shared_ptr<EngineImpl> engine{};  ///< Closing it would wait for this claim to end.
  partition::PartitionPtr partition{};
  Acks acks = Acks::all;
  std::int64_t timestamp_ms = -1;
  std::optional<directory::JournalLimit::Claiming> claiming{};
  base::MutableByteSpan batch{};  ///< Empty once committed or aborted.
  std::span<std::byte> value{};
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
