// The records of one transaction of a relay, by partition of the target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <seriatim/flow/relay.hpp>
#include <seriatim/partitioning.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The target as the batch finds it.
struct RelayTarget {
  std::string topic{};
  std::string topic_id{};
  PartitionId partition_count = 1;
  std::size_t append_bytes_max = 0;  ///< Records of so many bytes fit into one append.
  std::size_t record_bytes_max = 0;  ///< The topic takes a batch of so many.
};

/// "orders-3 offset 17".
std::string relay_place_of(const RecordView& record);
/// Of key, value and headers.
std::size_t bytes_of(const Record& record) noexcept;
/// At most so much does the format take for it.
std::size_t stored_bytes_max(const Record& record) noexcept;

/// The next batch of a partition of the target.
struct RelayPart {
  TopicPartition at{};
  std::vector<Record> records{};
  std::vector<const RecordView*> sources{};  ///< The record that each was made of.
  std::size_t bytes = 0;                     ///< bytes_of all.
  std::size_t stored_bytes_max = 0;          ///< Of all.

  void clear() noexcept {
    records.clear();
    sources.clear();
    bytes = stored_bytes_max = 0;
  }
};

/// Records go into the part of their partition one by one: `place` says into which, `put` puts it there. A
/// part that has no room for it is appended, and emptied, in between.
/// Threads: one at a time.
class RelayBatch {
 public:
  using Part = RelayPart;

  /// Lifetime: `options` outlives it.
  explicit RelayBatch(const RelayOptions& options) : options_(options) {}
  RelayBatch(const RelayBatch&) = delete;
  RelayBatch& operator=(const RelayBatch&) = delete;

  /// Begins a batch into `target`, with nothing in it.
  void clear(const RelayTarget& target);
  /// @param record  of a poll that outlives the batch.
  /// @return the part that it belongs to; null: the filter or the transformation drops it.
  /// Errors: of these two · invalid_argument: the partitioner names no partition.
  Result<Part*> place(const RecordView& record);
  /// Whether a record is relayed as it is: `place_plain` is a `place` of it, without an error.
  bool is_plain(const RecordView& record) const noexcept { return is_plain_ && record.header_count() == 0; }
  Part& place_plain(const RecordView& record) {
    next_ = {.key = record.key(), .value = record.value(), .timestamp = record.timestamp()};
    next_bytes_ = next_.key.size() + next_.value.size();
    next_stored_bytes_max_ = next_bytes_ + record_overhead;
    return part_for(next_.key.is_null() ? spread() : partition_for_key(next_.key, partition_count_));
  }
  /// Whether the part has room for the record that was placed.
  bool has_room(const Part& part) const noexcept {
    return part.records.empty() || part.stored_bytes_max + next_stored_bytes_max_ <= append_bytes_max_;
  }
  /// Puts the record there that was placed; `source` is that which it was made of.
  void put(Part& part, const RecordView& source) {
    part.sources.push_back(&source);
    part.records.push_back(next_);
    part.bytes += next_bytes_;
    part.stored_bytes_max += next_stored_bytes_max_;
  }

  /// By partition of the target.
  std::span<Part> parts() noexcept { return parts_; }

 private:
  friend std::size_t stored_bytes_max(const Record& record) noexcept;
  // The most that the format takes beside the bytes of a record, and of a header: lengths and differences as
  // varints.
  static constexpr std::size_t record_overhead = 40;
  static constexpr std::size_t header_overhead = 10;

  Part& part_for(PartitionId partition) noexcept { return parts_[static_cast<std::size_t>(partition)]; }
  Result<bool> passes_filter(const RecordView& record) const;
  /// Nothing: it is dropped.
  Result<std::optional<Record>> made_of(const RecordView& record);
  Record record_of(const OwnedRecord& owned);
  std::span<HeaderView> new_headers(std::size_t count);
  Result<PartitionId> choose();
  /// Where the next record without a key goes.
  PartitionId spread() noexcept;

  const RelayOptions& options_;
  const bool is_plain_ = !options_.filter && !options_.transform && !options_.partitioner;
  PartitionId partition_count_ = 1;
  std::size_t append_bytes_max_ = 0;
  std::vector<Part> parts_{};
  std::pmr::monotonic_buffer_resource headers_{};
  std::deque<OwnedRecord> owned_{};  ///< That records point into.
  /// The record that was placed.
  Record next_{};
  std::size_t next_bytes_ = 0;
  std::size_t next_stored_bytes_max_ = 0;
  /// Where records without a key go, and how many bytes went there.
  PartitionId spread_to_ = 0;
  std::size_t spread_bytes_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
