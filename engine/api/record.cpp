// `RecordView` and `ConsumerRecords`.
#include <seriatim/record.hpp>

#include <algorithm>
#include <utility>

#include "consumer/record_pool.hpp"
#include "format/batch/record_cursor.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

std::optional<std::string> owned(BytesView bytes) {
  return bytes.is_null() ? std::nullopt : std::optional<std::string>(bytes.text());
}

}  // namespace

static_assert(sizeof(RecordView) == 64, "one cache line, as record.hpp promises");

std::string_view RecordView::topic() const noexcept {
  return topic_partition_ != nullptr ? std::string_view(topic_partition_->topic) : std::string_view();
}

PartitionId RecordView::partition() const noexcept {
  return topic_partition_ != nullptr ? topic_partition_->partition : -1;
}

HeaderView RecordView::header(std::size_t index) const noexcept {
  format::HeaderCursor headers({headers_, headers_size_}, static_cast<std::int32_t>(header_count_));
  HeaderView header;
  for (std::size_t i = 0; i <= index; ++i) {
    if (!headers.next(header)) return {};
  }
  return header;
}

std::optional<BytesView> RecordView::header(std::string_view name) const noexcept {
  format::HeaderCursor headers({headers_, headers_size_}, static_cast<std::int32_t>(header_count_));
  std::optional<BytesView> last;
  for (HeaderView header; headers.next(header);) {
    if (header.key == name) last = header.value;
  }
  return last;
}

OwnedRecord RecordView::to_owned() const {
  OwnedRecord record{
      .topic_partition = topic_partition_ != nullptr ? *topic_partition_ : TopicPartition{"", -1},
      .offset = offset_,
      .timestamp = timestamp(),
      .key = owned(key()),
      .value = owned(value())};
  format::HeaderCursor headers({headers_, headers_size_}, static_cast<std::int32_t>(header_count_));
  for (HeaderView header; headers.next(header);) record.headers.emplace_back(header.key, owned(header.value));
  return record;
}

ConsumerRecords::ConsumerRecords() noexcept = default;

ConsumerRecords::ConsumerRecords(std::unique_ptr<detail::ConsumerRecordsImpl> impl) noexcept
    : impl_(std::move(impl)) {
  if (impl_ != nullptr) views_ = impl_->views.views();
}

ConsumerRecords::ConsumerRecords(ConsumerRecords&& other) noexcept
    : impl_(std::move(other.impl_)), views_(std::exchange(other.views_, {})) {}

ConsumerRecords& ConsumerRecords::operator=(ConsumerRecords&& other) noexcept {
  if (this == &other) return *this;
  detail::ConsumerRecordsImpl::recycle(std::move(impl_));
  impl_ = std::move(other.impl_);
  views_ = std::exchange(other.views_, {});
  return *this;
}

ConsumerRecords::~ConsumerRecords() { detail::ConsumerRecordsImpl::recycle(std::move(impl_)); }

std::vector<TopicPartition> ConsumerRecords::partitions() const {
  std::vector<TopicPartition> names;
  if (impl_ == nullptr) return names;
  names.reserve(impl_->ranges.size());
  for (const auto& range : impl_->ranges) names.push_back(*range.name);
  return names;
}

std::span<const RecordView> ConsumerRecords::records(const TopicPartition& topic_partition) const& noexcept {
  if (impl_ == nullptr) return {};
  const auto& ranges = impl_->ranges;
  const auto found = std::find_if(ranges.begin(), ranges.end(), [&](const consumer::RecordRange& range) {
    return *range.name == topic_partition;
  });
  return found == ranges.end() ? std::span<const RecordView>() : views_.subspan(found->first, found->count);
}

TopicPartitionOffsets ConsumerRecords::next_offsets() const {
  TopicPartitionOffsets offsets;
  if (impl_ == nullptr) return offsets;
  for (const auto& range : impl_->ranges) offsets[*range.name] = {.offset = range.next_offset};
  return offsets;
}

}  // namespace v0
}  // namespace seriatim
