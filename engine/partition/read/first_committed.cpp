#include "partition/read/first_committed.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "partition/read/aborted_transactions.hpp"
#include "partition/read/fetch_cursor.hpp"
#include "partition/read/fetched_records.hpp"
#include "partition/segment_retry.hpp"

namespace seriatim::partition {
namespace {

class CommittedSearch {
 public:
  CommittedSearch(const PartitionLogPtr& log, Offset bound)
      : log_(*log), cursor_(log), aborted_(*log), bound_(bound) {}

  Result<std::optional<Offset>> first_from(Offset from) {
    from = std::max(from, log_.log_start_offset());
    if (from >= bound_) return std::optional<Offset>();
    if (auto placed = cursor_.seek(from); !placed) return placed.error();
    FetchedBatch batch;
    for (;;) {
      auto step = cursor_.peek(bound_, false, batch);
      if (!step) return step.error();
      if (*step == FetchCursor::Step::end) return std::optional<Offset>();
      auto found = first_of(batch, from);
      if (!found || *found) return found;
      cursor_.advance(batch);
    }
  }

 private:
  Result<std::optional<Offset>> first_of(const FetchedBatch& batch, Offset from) {
    const format::BatchHeader& header = batch.header;
    if (header.is_control()) return std::optional<Offset>();
    if (header.is_transactional()) {
      auto is_aborted = aborted_.contain(batch, header.base_offset, bound_);
      if (!is_aborted) return is_aborted.error();
      if (*is_aborted) return std::optional<Offset>();
    }
    if (header.record_count == header.last_offset_delta + 1)
      return std::optional<Offset>(std::max(from, header.base_offset));
    return first_left_of(batch, from);
  }

  // Compaction leaves a batch its offsets, whatever it takes out of it.
  Result<std::optional<Offset>> first_left_of(const FetchedBatch& batch, Offset from) {
    auto section = record_section(log_, batch, scratch_);
    if (!section) return section.error();
    format::RecordCursor records = records_of(batch.header, *section);
    format::DecodedRecord record;
    Offset next = batch.header.base_offset;
    for (;;) {
      const auto step = records.next(record);
      if (step == format::RecordCursor::Step::malformed) return malformed_records(log_, batch, next);
      if (step == format::RecordCursor::Step::end) return std::optional<Offset>();
      const Offset offset = batch.header.base_offset + record.offset_delta;
      if (offset >= from) return std::optional<Offset>(offset);
      next = offset + 1;
    }
  }

  PartitionLog& log_;
  FetchCursor cursor_;
  AbortedTransactions aborted_;
  Offset bound_;
  std::vector<std::byte> scratch_{};
};

}  // namespace

Result<std::optional<Offset>> find_first_committed(const PartitionLogPtr& log, Offset from, Offset bound) {
  return retry_if_replaced(*log, [&] { return CommittedSearch(log, bound).first_from(from); });
}

}  // namespace seriatim::partition
