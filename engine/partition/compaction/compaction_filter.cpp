#include "partition/compaction/compaction_filter.hpp"

#include <string>

#include "base/saturate.hpp"
#include "format/batch/control_record.hpp"
#include "format/batch/record_section.hpp"

namespace seriatim::partition {

Result<base::ByteSpan> CompactionFilter::apply(const format::BatchHeader& header, base::ByteSpan batch) {
  if (header.is_control()) return apply_marker(header, batch);
  // Also one that compaction has emptied: whoever reads the log takes a transaction for open from there on.
  if (header.is_transactional()) producers_with_data_.insert(header.producer_id);
  if (header.record_count == 0) return must_survive(header) ? batch : base::ByteSpan();
  const Fate fate = !header.is_transactional() ? Fate::committed
                    : rules_.fates == nullptr  ? Fate::unknown
                                               : rules_.fates->fate_of(header);
  // A record that is kept too long is harmless where one that is dropped is not.
  if (fate == Fate::unknown) return batch;
  if (fate == Fate::aborted) {
    removed_records_ += static_cast<std::uint64_t>(header.record_count);
    return rest_of(header);
  }
  auto whole = collect(header, batch);
  if (!whole) return whole.error();
  removed_records_ += static_cast<std::uint64_t>(header.record_count) - kept_.size();
  const bool needs_horizon = keeps_tombstone_ && !header.has_delete_horizon();
  if (*whole && !needs_horizon) return batch;
  if (kept_.empty()) return rest_of(header);
  format::RebuildOptions options;
  if (needs_horizon) options.delete_horizon_ms = horizon_ms();
  auto rebuilt = rebuilder_.rebuild(header, kept_, options);
  if (!rebuilt) return rebuilt.error();
  return base::ByteSpan(rebuilt->bytes);
}

std::int64_t CompactionFilter::horizon_ms() const noexcept {
  return base::saturating_add(rules_.now_ms, rules_.delete_retention_ms);
}

// The remains of a batch without its records.
Result<base::ByteSpan> CompactionFilter::rest_of(const format::BatchHeader& header) {
  if (!must_survive(header)) return base::ByteSpan();
  auto rebuilt = rebuilder_.rebuild(header, {}, {});
  if (!rebuilt) return rebuilt.error();
  return base::ByteSpan(rebuilt->bytes);
}

// A marker stays as long as something of its transaction does, then for as long as a tombstone, so that who
// has read the records is told how they ended.
Result<base::ByteSpan> CompactionFilter::apply_marker(const format::BatchHeader& header,
                                                      base::ByteSpan batch) {
  const auto marker = format::read_control_batch(batch);
  if (marker == format::ControlBatch::emptied) return must_survive(header) ? batch : base::ByteSpan();
  if (marker != format::ControlBatch::commit && marker != format::ControlBatch::abort) return batch;
  if (producers_with_data_.erase(header.producer_id) > 0) return batch;
  if (rules_.fates == nullptr || header.base_offset >= rules_.map_end) return batch;
  if (header.has_delete_horizon())
    return rules_.now_ms < header.base_timestamp_ms ? Result<base::ByteSpan>(batch) : rest_of(header);
  if (auto whole = collect(header, batch); !whole) return whole.error();
  auto rebuilt = rebuilder_.rebuild(header, kept_, {.delete_horizon_ms = horizon_ms()});
  if (!rebuilt) return rebuilt.error();
  return base::ByteSpan(rebuilt->bytes);
}

// Fills kept_; true if every record stays.
Result<bool> CompactionFilter::collect(const format::BatchHeader& header, base::ByteSpan batch) {
  kept_.clear();
  keeps_tombstone_ = false;
  auto section = format::record_section(batch, compacted_section_bytes_max, scratch_);
  if (!section) return section.error();
  format::RecordCursor cursor(*section, header.record_count, header.last_offset_delta);
  format::DecodedRecord record;
  auto step = cursor.next(record);
  for (; step == format::RecordCursor::Step::record; step = cursor.next(record)) {
    if (!header.is_control() && !keeps(header, header.base_offset + record.offset_delta, record)) continue;
    if (record.value.is_null() && !record.key.is_null()) keeps_tombstone_ = true;
    kept_.push_back(format::keep_record(header, record));
  }
  if (step != format::RecordCursor::Step::end) {
    return Error(Errc::corrupt_record, "the batch at offset " + std::to_string(header.base_offset) +
                                           " has a good checksum but does not decode");
  }
  return kept_.size() == static_cast<std::size_t>(header.record_count);
}

bool CompactionFilter::keeps(const format::BatchHeader& header, Offset offset,
                             const format::DecodedRecord& record) noexcept {
  if (offset >= rules_.map_end) return true;
  if (record.key.is_null()) return false;
  if (offset < rules_.keys->newest(record.key.bytes())) return false;
  if (!record.value.is_null()) return true;
  // A tombstone goes in the second pass after its horizon, so that readers have had time to see it.
  return !header.has_delete_horizon() || rules_.now_ms < header.base_timestamp_ms;
}

bool CompactionFilter::must_survive(const format::BatchHeader& header) const noexcept {
  if (header.base_offset == rules_.last_batch_base) return true;
  const auto producer = rules_.last_of_producers.find(header.producer_id);
  if (producer == rules_.last_of_producers.end()) return false;
  const LastOfProducer& last = producer->second;
  if (last.last_offset >= 0) return header.last_offset() == last.last_offset;
  return header.is_control() && header.producer_epoch == last.epoch;
}

}  // namespace seriatim::partition
