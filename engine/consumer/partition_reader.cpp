#include "consumer/partition_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/boundary.hpp"
#include "base/counter.hpp"
#include "partition/read/fetched_records.hpp"
#include "partition/segment_retry.hpp"

namespace seriatim::consumer {

using format::RecordCursor;
using partition::FetchCursor;

namespace {

void prefetch(const std::byte* from, const std::byte* to) noexcept {
  to = std::min(to, from + 2 * base::cache_line_bytes);
  for (const std::byte* at = from; at < to; at += base::cache_line_bytes) __builtin_prefetch(at, 0, 2);
}

}  // namespace

PartitionReader::PartitionReader(partition::PartitionLogPtr log, std::shared_ptr<const TopicPartition> name,
                                 std::shared_ptr<RecordPool> pool) noexcept
    : log_(std::move(log)), name_(std::move(name)), pool_(std::move(pool)), cursor_(log_), aborted_(*log_) {}

void PartitionReader::seek(Offset offset) noexcept {
  forget_place();
  stuck_.reset();
  position_ = offset;
}

void PartitionReader::forget_place() noexcept {
  in_batch_ = false;
  section_.reset();
  cursor_.reset();
}

Result<std::size_t> PartitionReader::take(FetchBudget& budget, detail::ConsumerRecordsImpl& out,
                                          Offset bound) {
  const std::size_t first = out.views.size();
  bound_ = bound;
  // Before the place moves on: what was taken must be told.
  if (out.ranges.size() == out.ranges.capacity()) out.ranges.reserve(2 * out.ranges.size() + 4);
  const auto outcome = partition::retry_if_replaced(*log_, [&]() -> Result<> {
    // Out of memory, too, is an error of this place, with the records before it taken.
    auto filled = base::answered([&] { return fill(budget, out); });
    // After any error the segments are looked up anew next time.
    if (!filled) forget_place();
    return filled;
  });
  const std::size_t count = out.views.size() - first;
  if (count == 0) {
    // A segment that is being exchanged is there again soon.
    const bool is_absent = !outcome && partition::may_be_stale(outcome.error()) && log_->is_changing();
    return outcome || is_absent ? Result<std::size_t>(count) : Result<std::size_t>(outcome.error());
  }
  out.ranges.push_back({name_, first, count, position_});
  log_->counters().fetched_records.add(count);
  return count;
}

Result<> PartitionReader::fill(FetchBudget& budget, detail::ConsumerRecordsImpl& out) {
  if (log_->is_deleted()) {
    return Error(Errc::unknown_topic_or_partition,
                 "topic " + name_->topic +
                     " was deleted; assign the partitions that are left, or the new topic of that name");
  }
  if (position_ < log_->log_start_offset()) return partition::out_of_range(*log_, position_);
  if (stuck_) return *stuck_;
  if (in_batch_) {
    budget.has_taken = true;
    budget.bytes_left -= std::min(budget.bytes_left, batch_.bytes.size());
    attach(out);
  }
  while (budget.records_left > 0) {
    if (!in_batch_) {
      auto opened = open_batch(budget);
      if (!opened) return opened.error();
      if (!*opened) return {};
      attach(out);
    }
    if (auto delivered = deliver(budget, out); !delivered) return delivered;
  }
  return in_batch_ ? Result<>() : skip_hidden(budget.check_crcs);
}

// Behind the last record that a poll may take: what is committed then is behind markers too, and where
// nothing else follows no lag is left.
Result<> PartitionReader::skip_hidden(bool check_crcs) {
  if (position_ < bound_ && !cursor_.is_positioned()) {
    if (auto found = cursor_.seek(position_); !found) return found;
  }
  while (position_ < bound_) {
    // The bytes of a batch with records are the next take's to check.
    auto step = cursor_.peek(bound_, false, batch_);
    if (!step) return step.error();
    if (*step == FetchCursor::Step::end) return {};
    auto hidden = is_hidden();
    if (!hidden) return hidden.error();
    if (!*hidden) return {};
    if (check_crcs) {
      if (auto checked = cursor_.peek(bound_, true, batch_); !checked) return checked.error();
    }
    finish_batch();
  }
  return {};
}

// False: nothing more is there, or nothing more fits.
Result<bool> PartitionReader::open_batch(FetchBudget& budget) {
  // Behind the high watermark it is out of range, which the cursor finds out; between the bound and there it
  // waits.
  if (position_ == bound_ || (position_ > bound_ && position_ <= log_->high_watermark())) return false;
  if (!cursor_.is_positioned()) {
    if (auto found = cursor_.seek(position_); !found) return found.error();
  }
  for (bool is_fresh = false;;) {
    auto step = cursor_.peek(bound_, budget.check_crcs, batch_);
    if (!step) return step.error();
    if (*step == FetchCursor::Step::end) return false;
    auto hidden = is_hidden();
    if (!hidden && hidden.error().code() == Errc::not_found && !is_fresh) {
      // The cursor's segment was replaced since it entered it, and its transactions are forgotten.
      if (auto found = cursor_.seek(position_); !found) return found.error();
      is_fresh = true;
      continue;
    }
    if (!hidden) return hidden;
    if (!*hidden) break;
    finish_batch();
  }
  if (budget.has_taken && batch_.bytes.size() > budget.bytes_left) return false;
  base::ByteSpan section;
  if (batch_.header.codec() == format::Codec::none) {
    section = batch_.bytes.subspan(format::records_at);
  } else {
    section_ = pool_->take_section();
    auto decompressed = partition::record_section(*log_, batch_, section_.bytes());
    if (!decompressed) return decompressed.error();
    section = *decompressed;
  }
  records_ = partition::records_of(batch_.header, section);
  decoded_ = 0;
  in_batch_ = true;
  budget.has_taken = true;
  budget.bytes_left -= std::min(budget.bytes_left, batch_.bytes.size());
  log_->counters().fetched_batches.add();
  log_->counters().fetched_bytes.add(batch_.bytes.size());
  return true;
}

// Whether the batch at the cursor is one that nobody is shown.
Result<bool> PartitionReader::is_hidden() {
  if (batch_.header.is_control()) return true;
  if (!is_committed_only_ || !batch_.header.is_transactional()) return false;
  return aborted_.contain(batch_, batch_.header.base_offset, bound_);
}

void PartitionReader::attach(detail::ConsumerRecordsImpl& out) {
  if (section_) {
    out.sections.push_back(section_);
  } else if (out.pins.empty() || out.pins.back() != *batch_.pin) {
    out.pins.push_back(*batch_.pin);
  }
}

// The cursor and the place are copies, so that the compiler can keep them in registers while views are
// stored.
Result<> PartitionReader::deliver(FetchBudget& budget, detail::ConsumerRecordsImpl& out) {
  const format::BatchHeader& header = batch_.header;
  const auto left = static_cast<std::size_t>(header.record_count - decoded_);
  const std::size_t wanted = budget.splits_batches ? std::min(budget.records_left, left) : left;
  RecordView* const first = out.views.room_for(wanted);
  RecordView* view = first;
  RecordCursor records = records_;
  Offset position = position_;
  std::int32_t decoded = decoded_;
  const std::size_t prefetch_bytes = prefetch_distance();
  format::DecodedRecord record;
  auto step = RecordCursor::Step::record;
  // One step more than there are records: that nothing follows the last one is part of the check.
  while (view != first + wanted || decoded == header.record_count) {
    const std::byte* const at = records.position();
    step = records.next(record);
    if (step != RecordCursor::Step::record) break;
    ++decoded;
    const Offset offset = header.base_offset + record.offset_delta;
    if (offset < position) continue;
    detail::RecordViewAccess::set(*view++, name_.get(), offset,
                                  header.record_timestamp_ms(record.timestamp_delta), record);
    position = offset + 1;
    if (prefetch_bytes != 0) prefetch(at + prefetch_bytes, records.position() + prefetch_bytes);
  }
  const auto taken = static_cast<std::size_t>(view - first);
  out.views.added(taken);
  budget.records_left -= std::min(budget.records_left, taken);
  records_ = records;
  position_ = position;
  decoded_ = decoded;
  if (step == RecordCursor::Step::end) finish_batch();
  if (step != RecordCursor::Step::malformed) return {};
  const Error error = partition::malformed_records(*log_, batch_, position_);
  if (decoded_ == header.record_count) stuck_ = error;
  return error;
}

// While this batch is walked, which needs no memory that is far, the bytes of the next one are fetched, which
// its checksum would wait for: it is as long as this one, or near enough. 0: not worth it, or not in place.
std::size_t PartitionReader::prefetch_distance() const noexcept {
  constexpr std::size_t bytes_min = std::size_t{4} << 10;    // the processor's own prefetching does it
  constexpr std::size_t bytes_max = std::size_t{256} << 10;  // would be gone from the cache again
  const std::size_t bytes = batch_.bytes.size();
  return section_ || bytes < bytes_min || bytes > bytes_max ? 0 : bytes;
}

void PartitionReader::finish_batch() noexcept {
  in_batch_ = false;
  section_.reset();
  cursor_.advance(batch_);
  position_ = std::max(position_, batch_.header.next_offset());
}

}  // namespace seriatim::consumer
