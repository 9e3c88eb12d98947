#include "flow/relay/relay_batch.hpp"

#include <memory>
#include <utility>

#include <seriatim/exception.hpp>
#include <seriatim/partitioning.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// Records without a key stay in one partition for so many bytes, as a producer's do, so that batches fill.
constexpr std::size_t spread_bytes_max = 64 * 1024;
// RecordView::header walks to the one asked for; a copy has walked once. Arbitrary.
constexpr std::size_t headers_in_place_max = 16;

BytesView view_of(const std::optional<std::string>& text) noexcept {
  return text ? BytesView(*text) : BytesView();
}

}  // namespace

std::string place_of(const RecordView& record) {
  return std::string(record.topic()) + "-" + std::to_string(record.partition()) + " offset " +
         std::to_string(record.offset());
}

std::size_t bytes_of(const Record& record) noexcept {
  std::size_t bytes = record.key.size() + record.value.size();
  for (const HeaderView& header : record.headers) bytes += header.key.size() + header.value.size();
  return bytes;
}

void RelayBatch::clear(const RelayTarget& target) {
  topic_ = target.topic;
  partition_count_ = target.partition_count;
  parts_.resize(static_cast<std::size_t>(partition_count_));
  for (Part& part : parts_) {
    part.records.clear();
    part.sources.clear();
  }
  headers_.release();
  owned_.clear();
  spread_to_ %= partition_count_;
}

Result<bool> RelayBatch::add(const RecordView& record) {
  const auto passes = passes_filter(record);
  if (!passes || !*passes) return passes;
  const auto made = made_of(record);
  if (!made) return made.error();
  if (!*made) return false;
  const auto partition = choose(**made);
  if (!partition) return partition.error();
  Part& part = parts_[static_cast<std::size_t>(*partition)];
  part.sources.push_back(&record);
  part.records.push_back(**made);
  return true;
}

Result<bool> RelayBatch::passes_filter(const RecordView& record) const try {
  return !options_.filter || options_.filter(record);
} catch (...) {
  return current_error().with_context("the filter");
}

Result<std::optional<Record>> RelayBatch::made_of(const RecordView& record) {
  if (options_.transform) {
    auto transformed = [&]() noexcept -> Result<std::optional<OwnedRecord>> {
      try {
        return options_.transform(record);
      } catch (...) {
        return current_error();
      }
    }();
    if (!transformed) return transformed.error().with_context("the transformation");
    if (!*transformed) return std::optional<Record>();
    return std::optional<Record>(record_of(owned_.emplace_back(**std::move(transformed))));
  }
  if (record.header_count() > headers_in_place_max)
    return std::optional<Record>(record_of(owned_.emplace_back(record.to_owned())));
  Record made{.key = record.key(), .value = record.value(), .timestamp = record.timestamp()};
  if (record.header_count() > 0) {
    const auto headers = new_headers(record.header_count());
    for (std::size_t i = 0; i < headers.size(); ++i) headers[i] = record.header(i);
    made.headers = headers;
  }
  return std::optional<Record>(made);
}

Record RelayBatch::record_of(const OwnedRecord& owned) {
  const auto headers = new_headers(owned.headers.size());
  for (std::size_t i = 0; i < headers.size(); ++i)
    headers[i] = {.key = owned.headers[i].first, .value = view_of(owned.headers[i].second)};
  return {.key = view_of(owned.key),
          .value = view_of(owned.value),
          .timestamp = owned.timestamp,
          .headers = headers};
}

std::span<HeaderView> RelayBatch::new_headers(std::size_t count) {
  if (count == 0) return {};
  auto* const memory =
      static_cast<HeaderView*>(headers_.allocate(count * sizeof(HeaderView), alignof(HeaderView)));
  std::uninitialized_value_construct_n(memory, count);
  return {memory, count};
}

Result<PartitionId> RelayBatch::choose(const Record& record) {
  if (options_.partitioner) {
    const auto chosen = [&]() noexcept -> Result<PartitionId> {
      try {
        return options_.partitioner(topic_, record.key, partition_count_);
      } catch (...) {
        return current_error().with_context("the partitioner");
      }
    }();
    if (chosen && (*chosen < 0 || *chosen >= partition_count_)) {
      return Error(Errc::invalid_argument, "the partitioner chose partition " + std::to_string(*chosen) +
                                               " of " + topic_ + ", which has 0 to " +
                                               std::to_string(partition_count_ - 1));
    }
    return chosen;
  }
  if (!record.key.is_null()) return partition_for_key(record.key, partition_count_);
  if (spread_bytes_ >= spread_bytes_max) {
    spread_to_ = (spread_to_ + 1) % partition_count_;
    spread_bytes_ = 0;
  }
  spread_bytes_ += bytes_of(record);
  return spread_to_;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
