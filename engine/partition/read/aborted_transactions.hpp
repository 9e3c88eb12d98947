// Which batches belong to aborted transactions: what the transaction indexes say, kept while one segment is
// read.
#pragma once

#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "format/index_entry.hpp"
#include "partition/partition_log.hpp"
#include "partition/read/fetch_cursor.hpp"

namespace seriatim::partition {

/// Asked about transactional batches only, so that where there are none it costs nothing. One thread at a
/// time.
class AbortedTransactions {
 public:
  explicit AbortedTransactions(PartitionLog& log) noexcept : log_(log) {}

  /// Whether `batch`, a transactional one with data, is of a transaction that was aborted.
  /// @param from   where the batches lie that are asked about next, in the same segment: at or before this
  /// one.
  /// @param bound  the last stable offset at some time, above the batch.
  /// Errors: as PartitionLog::collect_aborted.
  /// Cost: a binary search; a look into the indexes for the first batch of a segment, or behind the last
  /// bound.
  Result<bool> contain(const FetchedBatch& batch, Offset from, Offset bound);

 private:
  Result<> look(const segment::SegmentPtr& segment, Offset from, Offset upper);

  PartitionLog& log_;
  /// Everything that overlaps [from_, upper_), by producer, then by first offset. Below the last stable
  /// offset nothing changes any more.
  std::vector<format::AbortedTransaction> found_{};
  Offset from_ = 0;
  Offset upper_ = 0;
};

/// not_found: what was read from `segment` can no longer be told apart.
Error segment_is_gone(const segment::Segment& segment);

}  // namespace seriatim::partition
