#include "flow/relay/relay_batch.hpp"

#include <memory>
#include <utility>

#include <seriatim/exception.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// Records without a key stay in one partition for so many bytes, as a producer's do, so that batches fill.
constexpr std::size_t spread_bytes_max = 64 * 1024;
// RecordView::header walks to the one asked for; a copy has walked once. Arbitrary.
constexpr std::size_t headers_in_place_max = 16;

BytesView view_of_text(const std::optional<std::string>& text) noexcept {
  return text ? BytesView(*text) : BytesView();
}

}  // namespace

std::string relay_place_of(const RecordView& record) {
  return std::string(record.topic()) + "-" + std::to_string(record.partition()) + " offset " +
         std::to_string(record.offset());
}

std::size_t bytes_of(const Record& record) noexcept {
  std::size_t bytes = record.key.size() + record.value.size();
  for (const HeaderView& header : record.headers) bytes += header.key.size() + header.value.size();
  return bytes;
}

std::size_t stored_bytes_max(const Record& record) noexcept {
  return bytes_of(record) + RelayBatch::record_overhead + record.headers.size() * RelayBatch::header_overhead;
}

void RelayBatch::clear(const RelayTarget& target) {
  partition_count_ = target.partition_count;
  append_bytes_max_ = target.append_bytes_max;
  for (Part& part : parts_) part.clear();
  const auto known = static_cast<PartitionId>(parts_.size());
  parts_.resize(static_cast<std::size_t>(partition_count_));
  for (PartitionId i = known; i < partition_count_; ++i)
    part_for(i).at = {.topic = target.topic, .partition = i};
  headers_.release();
  owned_.clear();
  spread_to_ %= partition_count_;
}

Result<RelayBatch::Part*> RelayBatch::place(const RecordView& record) {
  const auto passes = passes_filter(record);
  if (!passes) return passes.error();
  if (!*passes) return static_cast<Part*>(nullptr);
  const auto made = made_of(record);
  if (!made) return made.error();
  if (!*made) return static_cast<Part*>(nullptr);
  next_ = **made;
  next_bytes_ = bytes_of(next_);
  next_stored_bytes_max_ = stored_bytes_max(next_);
  const auto partition = choose();
  if (!partition) return partition.error();
  return &part_for(*partition);
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
    headers[i] = {.key = owned.headers[i].first, .value = view_of_text(owned.headers[i].second)};
  return {.key = view_of_text(owned.key),
          .value = view_of_text(owned.value),
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

Result<PartitionId> RelayBatch::choose() {
  if (!options_.partitioner)
    return next_.key.is_null() ? spread() : partition_for_key(next_.key, partition_count_);
  auto chosen = [&]() noexcept -> Result<PartitionId> {
    try {
      return options_.partitioner(options_.to, next_.key, partition_count_);
    } catch (...) {
      return current_error().with_context("the partitioner");
    }
  }();
  if (chosen && (*chosen < 0 || *chosen >= partition_count_)) {
    return Error(Errc::invalid_argument, "the partitioner chose partition " + std::to_string(*chosen) +
                                             " of " + options_.to + ", which has 0 to " +
                                             std::to_string(partition_count_ - 1));
  }
  return chosen;
}

PartitionId RelayBatch::spread() noexcept {
  if (spread_bytes_ >= spread_bytes_max) {
    spread_to_ = (spread_to_ + 1) % partition_count_;
    spread_bytes_ = 0;
  }
  spread_bytes_ += next_bytes_;
  return spread_to_;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
