#include "partition/compaction_filter.hpp"

#include <string>

#include "format/record_section.hpp"

namespace seriatim::partition {

Result<base::ByteSpan> CompactionFilter::apply(const format::BatchHeader& header, base::ByteSpan batch) {
  // Markers and the records of transactions stay: whether a transaction was aborted is not known here, and a
  // record of one that is kept too long is harmless where one that is dropped is not.
  if (header.is_control() || header.is_transactional()) return batch;
  if (header.record_count == 0) return must_survive(header) ? batch : base::ByteSpan();
  auto whole = collect(header, batch);
  if (!whole) return whole.error();
  removed_records_ += static_cast<std::uint64_t>(header.record_count) - kept_.size();
  const bool needs_horizon = keeps_tombstone_ && !header.has_delete_horizon();
  if (*whole && !needs_horizon) return batch;
  if (kept_.empty() && !must_survive(header)) return base::ByteSpan();
  format::RebuildOptions options;
  if (needs_horizon && !kept_.empty()) options.delete_horizon_ms = rules_.now_ms + rules_.delete_retention_ms;
  auto rebuilt = rebuilder_.rebuild(header, kept_, options);
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
    if (!keeps(header, header.base_offset + record.offset_delta, record)) continue;
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
  return header.base_offset == rules_.last_batch_base ||
         rules_.last_batches_of_producers.contains(header.base_offset);
}

}  // namespace seriatim::partition
