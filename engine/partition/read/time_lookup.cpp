#include "partition/read/time_lookup.hpp"

#include <algorithm>
#include <vector>

#include "partition/read/fetch_cursor.hpp"
#include "partition/read/fetched_records.hpp"
#include "partition/segment_retry.hpp"
#include "segment/time_proof.hpp"

namespace seriatim::partition {
namespace {

using Found = std::optional<OffsetAndTimestamp>;
using format::RecordCursor;

OffsetAndTimestamp at(Offset offset, std::int64_t timestamp_ms) {
  return {offset, Timestamp{std::chrono::milliseconds{timestamp_ms}}};
}

class TimeLookup {
 public:
  TimeLookup(const PartitionLogPtr& log, Offset bound)
      : log_(*log), cursor_(log), bound_(bound), start_(log->log_start_offset()) {}

  Result<Found> first_at_or_after(std::int64_t time_ms) {
    const auto list = log_.segments().load();
    for (const auto& segment : *list) {
      if (segment->end_offset() <= start_) continue;
      auto is_old = is_too_old(*segment, time_ms);
      if (!is_old) return is_old.error();
      if (*is_old) continue;
      auto found = search_segment(segment, time_ms);
      if (!found || *found) return found;
    }
    return Found();
  }

  Result<Found> first_of_largest() {
    std::int64_t largest = format::no_timestamp_ms;
    const auto list = log_.segments().load();
    for (const auto& segment : *list) {
      if (segment->end_offset() <= start_) continue;
      auto of_segment = segment::proven_max_timestamp_ms(*segment);
      if (!of_segment) return of_segment.error();
      largest = std::max(largest, *of_segment);
    }
    if (largest == format::no_timestamp_ms) return Found();
    auto found = first_at_or_after(largest);
    if (!found || *found) return found;
    return read_all_for_largest();
  }

 private:
  static Result<bool> is_too_old(segment::Segment& segment, std::int64_t time_ms) {
    if (segment.max_timestamp_ms() >= time_ms) return false;
    auto largest = segment::proven_max_timestamp_ms(segment);
    if (!largest) return largest.error();
    return *largest < time_ms;
  }

  Result<Found> search_segment(const segment::SegmentPtr& segment, std::int64_t time_ms) {
    auto pin = segment->pin();
    if (!pin) return pin.error();
    const Offset from = std::max(start_, segment::search_start(*segment, **pin, time_ms));
    if (from >= std::min(bound_, segment->end_offset())) return Found();
    if (auto placed = cursor_.seek(from); !placed) return placed.error();
    FetchedBatch batch;
    for (;;) {
      auto step = cursor_.peek(bound_, true, batch);
      if (!step) return step.error();
      if (*step == FetchCursor::Step::end || batch.header.base_offset >= segment->end_offset())
        return Found();
      if (batch.header.max_timestamp_ms >= time_ms) {
        auto found = search_batch(batch, time_ms);
        if (!found || *found) return found;
      }
      cursor_.advance(batch);
    }
  }

  Result<Found> search_batch(const FetchedBatch& batch, std::int64_t time_ms) {
    Found first;
    auto walked = for_each_record(batch, [&](Offset offset, std::int64_t timestamp_ms) {
      if (timestamp_ms >= time_ms) first = at(offset, timestamp_ms);
      return !first;
    });
    if (!walked) return walked.error();
    return first;
  }

  // The segments' largest timestamps may be those of records below the log start, or that compaction took.
  Result<Found> read_all_for_largest() {
    Found largest;
    if (auto placed = cursor_.seek(start_); !placed) return placed.error();
    FetchedBatch batch;
    for (;;) {
      auto step = cursor_.peek(bound_, true, batch);
      if (!step) return step.error();
      if (*step == FetchCursor::Step::end) return largest;
      auto walked = for_each_record(batch, [&](Offset offset, std::int64_t timestamp_ms) {
        const Timestamp timestamp{std::chrono::milliseconds{timestamp_ms}};
        if (timestamp_ms >= 0 && (!largest || timestamp > largest->timestamp))
          largest = at(offset, timestamp_ms);
        return true;
      });
      if (!walked) return walked.error();
      cursor_.advance(batch);
    }
  }

  // Calls visit(offset, timestamp) for the records from the log start on, until it says no.
  template <class Visit>
  Result<> for_each_record(const FetchedBatch& batch, Visit&& visit) {
    auto section = record_section(log_, batch, scratch_);
    if (!section) return section.error();
    RecordCursor records = records_of(batch.header, *section);
    format::DecodedRecord record;
    Offset next = batch.header.base_offset;
    for (;;) {
      const auto step = records.next(record);
      if (step == RecordCursor::Step::malformed) return malformed_records(log_, batch, next);
      if (step == RecordCursor::Step::end) return {};
      const Offset offset = batch.header.base_offset + record.offset_delta;
      next = offset + 1;
      if (offset >= start_ && !visit(offset, batch.header.record_timestamp_ms(record.timestamp_delta)))
        return {};
    }
  }

  PartitionLog& log_;
  FetchCursor cursor_;
  Offset bound_;
  Offset start_;
  std::vector<std::byte> scratch_{};
};

}  // namespace

Result<Found> find_offset_for_time(const PartitionLogPtr& log, std::int64_t time_ms, Offset bound) {
  return retry_if_replaced(*log, [&] { return TimeLookup(log, bound).first_at_or_after(time_ms); });
}

Result<Found> find_max_timestamp(const PartitionLogPtr& log) {
  return retry_if_replaced(*log, [&] { return TimeLookup(log, log->high_watermark()).first_of_largest(); });
}

}  // namespace seriatim::partition
