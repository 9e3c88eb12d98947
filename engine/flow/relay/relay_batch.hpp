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

namespace seriatim {
inline namespace v0 {
namespace detail {

/// The target as the batch finds it.
struct RelayTarget {
  std::string topic{};
  std::string topic_id{};
  PartitionId partition_count = 1;
  std::size_t append_bytes_max = 0;  ///< Records of so many bytes fit into one append.
};

/// "orders-3 offset 17".
std::string place_of(const RecordView& record);
/// At most so much do key, value and headers of a record take.
std::size_t bytes_of(const Record& record) noexcept;

/// Used again for each batch.
/// Threads: one at a time.
class RelayBatch {
 public:
  /// Records in the order in which they were added; `sources` has the record that each was made of.
  struct Part {
    std::vector<Record> records{};
    std::vector<const RecordView*> sources{};
  };

  /// Lifetime: `options` outlives it.
  explicit RelayBatch(const RelayOptions& options) : options_(options) {}
  RelayBatch(const RelayBatch&) = delete;
  RelayBatch& operator=(const RelayBatch&) = delete;

  /// Begins a batch into `target`, with nothing in it.
  void clear(const RelayTarget& target);
  /// Adds a record of a poll, which has to outlive the batch.
  /// @return whether it is relayed: false, if the filter or the transformation drops it.
  /// Errors: of these two: nothing is added · invalid_argument: the partitioner names no partition.
  Result<bool> add(const RecordView& record);

  /// By partition of the target.
  std::span<const Part> parts() const noexcept { return parts_; }

 private:
  Result<bool> passes_filter(const RecordView& record) const;
  /// Nothing: it is dropped.
  Result<std::optional<Record>> made_of(const RecordView& record);
  Record record_of(const OwnedRecord& owned);
  std::span<HeaderView> new_headers(std::size_t count);
  Result<PartitionId> choose(const Record& record);

  const RelayOptions& options_;
  std::string topic_{};
  PartitionId partition_count_ = 1;
  std::vector<Part> parts_{};
  std::pmr::monotonic_buffer_resource headers_{};
  std::deque<OwnedRecord> owned_{};  ///< That records point into.
  /// Where records without a key go, and how many bytes went there.
  PartitionId spread_to_ = 0;
  std::size_t spread_bytes_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
