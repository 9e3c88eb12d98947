/// @file
/// Records: what you append (`Record`, `ProducerRecord`) and what you read (`RecordView`, `ConsumerRecords`).
#pragma once

#include <seriatim/language.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// One header of a record: a UTF-8 key, which may repeat, and a value, which may be null.
struct HeaderView {
  std::string_view key{};
  BytesView value{};
};

/// A record to append to a partition that the call names.
///
/// Lifetime: everything it points at is only read before the call it is given to returns.
struct Record {
  BytesView key{};                       ///< Null: no key.
  BytesView value{};                     ///< Null: a tombstone on a compacted topic.
  std::optional<Timestamp> timestamp{};  ///< Default: the engine's clock at the call.
  std::span<const HeaderView> headers{};
};

/// A record to append to a topic; the partition is named or chosen by the producer's partitioner.
///
/// Lifetime: as `Record`.
struct ProducerRecord {
  std::string_view topic{};
  BytesView key{};
  BytesView value{};
  std::optional<PartitionId> partition{};  ///< Default: the partitioner decides.
  std::optional<Timestamp> timestamp{};
  std::span<const HeaderView> headers{};
  /// Of an idempotent producer: the record's own number, by which it is recognised if it is sent again: one
  /// more than that of the record before it in the partition. Default: the producer counts.
  std::optional<Sequence> sequence{};
};

/// Where a record was stored. The topic is the one given to the call: leaving its name out keeps this
/// type free of allocation.
struct RecordMetadata {
  PartitionId partition = -1;
  Offset offset = -1;     ///< -1 under `Acks::none`, which promises none.
  Timestamp timestamp{};  ///< The record's, or the append time on a log-append-time topic.
  /// It had been stored before, by its sequence; offset and timestamp are those of then, nothing was written.
  bool duplicate = false;
};

/// Where a batch was stored. Offsets are inclusive.
struct AppendResult {
  Offset base_offset = -1;
  Offset last_offset = -1;
  Timestamp timestamp{};   ///< Largest timestamp of the batch.
  bool duplicate = false;  ///< As in RecordMetadata.
};

/// An owning copy of a record, made by `RecordView::to_owned()`.
struct OwnedRecord {
  TopicPartition topic_partition{};
  Offset offset = -1;
  Timestamp timestamp{};
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers{};
};

namespace detail {
struct ConsumerRecordsImpl;
struct RecordViewAccess;
}  // namespace detail

/// A record where it lies: in the mapped segment, or in the buffer its batch was decompressed into.
///
/// Trivially copyable; one cache line.
/// Lifetime: valid while the `ConsumerRecords` it came from lives (moving that keeps views valid).
/// Threads: any number may read.
class SERIATIM_API RecordView {
 public:
  RecordView() noexcept = default;

  std::string_view topic() const noexcept;
  PartitionId partition() const noexcept;
  Offset offset() const noexcept { return offset_; }
  Timestamp timestamp() const noexcept { return Timestamp{std::chrono::milliseconds{timestamp_ms_}}; }
  BytesView key() const noexcept { return key_ != nullptr ? BytesView(key_, key_size_) : BytesView(); }
  BytesView value() const noexcept {
    return value_ != nullptr ? BytesView(value_, value_size_) : BytesView();
  }
  std::size_t header_count() const noexcept { return header_count_; }
  /// The header at `index` < header_count(), counted from 0 in stored order.
  /// Cost: walks the headers before it.
  HeaderView header(std::size_t index) const noexcept;
  /// The last header of that name, as Kafka's `lastHeader`; nullopt if there is none.
  std::optional<BytesView> header(std::string_view name) const noexcept;
  /// A copy that lives on its own.
  OwnedRecord to_owned() const;

 private:
  friend struct detail::RecordViewAccess;
  const TopicPartition* topic_partition_ = nullptr;
  Offset offset_ = -1;
  std::int64_t timestamp_ms_ = -1;
  const std::byte* key_ = nullptr;
  const std::byte* value_ = nullptr;
  const std::byte* headers_ = nullptr;
  std::uint32_t key_size_ = 0;
  std::uint32_t value_size_ = 0;
  std::uint32_t headers_size_ = 0;
  std::uint32_t header_count_ = 0;
};

/// The result of a poll or read: records in place, and the pins that keep their bytes alive.
///
/// A contiguous range of `RecordView`. Move-only. Retention and compaction never take bytes from under it;
/// what it pins of deleted segments is counted in `Metrics::pinned_deleted_bytes`.
/// Lifetime: may outlive its Consumer and its Engine.
/// Threads: as a standard container.
class SERIATIM_API ConsumerRecords {
 public:
  ConsumerRecords() noexcept;
  ConsumerRecords(ConsumerRecords&&) noexcept;
  ConsumerRecords& operator=(ConsumerRecords&&) noexcept;
  ~ConsumerRecords();

  const RecordView* begin() const& noexcept { return views_.data(); }
  const RecordView* end() const& noexcept { return views_.data() + views_.size(); }
  /// Iterating over a temporary would leave every view dangling.
  const RecordView* begin() && = delete;
  const RecordView* end() && = delete;
  std::size_t count() const noexcept { return views_.size(); }
  bool empty() const noexcept { return views_.empty(); }
  const RecordView& operator[](std::size_t index) const& noexcept { return views_[index]; }
  const RecordView& operator[](std::size_t index) && = delete;

  /// The partitions that have records here.
  std::vector<TopicPartition> partitions() const;
  /// The records of one partition: they are contiguous. Empty if there are none.
  std::span<const RecordView> records(const TopicPartition& topic_partition) const& noexcept;
  std::span<const RecordView> records(const TopicPartition& topic_partition) && = delete;
  /// The positions to commit once all of these records are processed: per partition, the offset to go on
  /// from.
  TopicPartitionOffsets next_offsets() const;

 private:
  friend struct detail::ConsumerRecordsImpl;
  explicit ConsumerRecords(std::unique_ptr<detail::ConsumerRecordsImpl> impl) noexcept;
  std::unique_ptr<detail::ConsumerRecordsImpl> impl_;
  std::span<const RecordView> views_{};
};

}  // namespace v0
}  // namespace seriatim
