#include "partition/time_lookup.hpp"

#include <algorithm>
#include <vector>

#include "partition/fetch_cursor.hpp"
#include "partition/fetched_records.hpp"
#include "partition/segment_retry.hpp"

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
    segment::SegmentPtr passed;  // the last one that says it is too old
    for (const auto& segment : *list) {
      if (segment->end_offset() <= start_) continue;
      if (segment->max_timestamp_ms() < time_ms) {
        passed = segment;
        continue;
      }
      auto earlier = search_if_wrong(passed, time_ms);
      if (!earlier || *earlier) return earlier;
      passed = nullptr;
      auto found = search_segment(segment, time_ms);
      if (!found || *found) return found;
    }
    return search_if_wrong(passed, time_ms);
  }

  Result<Found> first_of_largest() {
    std::int64_t largest = format::no_timestamp_ms;
    const auto list = log_.segments().load();
    for (const auto& segment : *list) {
      if (segment->end_offset() > start_) largest = std::max(largest, segment->max_timestamp_ms());
    }
    if (largest == format::no_timestamp_ms) return Found();
    auto found = first_at_or_after(largest);
    if (!found || *found) return found;
    return read_all_for_largest();
  }

 private:
  // A time index has no checksum: an entry with a wrong bit would hide records. It is true if the batch that
  // ends with its offset has its timestamp.
  Result<bool> is_true(const segment::Segment& segment, const segment::TimestampOffset& entry) {
    if (entry.offset < start_ || entry.offset >= segment.end_offset()) return entry.offset < start_;
    if (auto placed = cursor_.seek(entry.offset); !placed) return placed.error();
    FetchedBatch batch;
    auto step = cursor_.peek(bound_, true, batch);
    if (!step) return step.error();
    if (*step == FetchCursor::Step::end) return true;  // Not readable yet.
    // Also in a gap that compaction has left: it makes an index of the batches that it keeps.
    return batch.header.last_offset() == entry.offset && batch.header.max_timestamp_ms == entry.timestamp_ms;
  }

  // A segment is passed because of the last entry of its time index. Where timestamps ascend, the one passed
  // last is the only one that a wrong entry can hide.
  Result<Found> search_if_wrong(const segment::SegmentPtr& segment, std::int64_t time_ms) {
    if (!segment) return Found();
    auto pin = segment->pin();
    if (!pin) return pin.error();
    const auto last = (*pin)->time_index.last();
    // An index that is not believed at all tells of no timestamp.
    if (!last && segment->max_timestamp_ms() == format::no_timestamp_ms)
      return search_segment(segment, time_ms);
    if (!last || last->timestamp_ms != segment->max_timestamp_ms()) return Found();
    auto is_right = is_true(*segment, *last);
    if (!is_right) return is_right.error();
    return *is_right ? Result<Found>(Found()) : search_segment(segment, time_ms);
  }

  // Everything before the time index entry is older: its timestamp is the largest up to there.
  Result<Found> search_segment(const segment::SegmentPtr& segment, std::int64_t time_ms) {
    auto pin = segment->pin();
    if (!pin) return pin.error();
    const segment::TimestampOffset entry = (*pin)->time_index.floor(time_ms);
    const bool is_none = entry == segment::TimestampOffset{-1, segment->base_offset()};
    Result<bool> is_right = is_none ? Result<bool>(true) : is_true(*segment, entry);
    if (!is_right) return is_right.error();
    const Offset from = std::max({start_, segment->base_offset(), *is_right ? entry.offset : Offset{0}});
    if (from >= segment->end_offset()) return Found();
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
