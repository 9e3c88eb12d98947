// A record between its poll and its end.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <seriatim/record.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {
namespace detail {

struct ParallelPartition;
struct QueuedBatch;

/// The records that one poll gave of a partition. Behind the pool's mutex, but for `partition`.
struct PolledSlice {
  ParallelPartition* partition = nullptr;
  std::shared_ptr<QueuedBatch> batch{};  ///< Keeps the records.
  struct QueuedRecord* records = nullptr;
  std::size_t count = 0;
  std::size_t unfinished = 0;
};

struct QueuedRecord {
  const RecordView* view = nullptr;
  Offset offset = -1;
  PolledSlice* slice = nullptr;
  QueuedRecord* next = nullptr;  ///< In its lane or run; behind the pool's mutex, or the run's owner's.
  std::uint64_t order = 0;       ///< Records of equal values come one after the other.
  std::uint32_t attempts = 0;    ///< That failed in a row; of the thread that handles it.
  bool has_order = false;
  bool is_finished = false;  ///< Behind the pool's mutex.

  std::size_t bytes() const noexcept {
    return view == nullptr ? 0 : view->key().size() + view->value().size();
  }
};

/// The records of one poll.
struct QueuedBatch {
  ConsumerRecords records{};
  std::vector<QueuedRecord> queued{};  ///< As `records`.
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
