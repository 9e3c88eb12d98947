#include "partition/read/backward_cursor.hpp"

#include <algorithm>

namespace seriatim::partition {

Result<> BackwardCursor::seek(Offset before) {
  positions_.clear();
  const PartitionLog& log = walker_.log();
  if (before < log.log_start_offset() || before > log.high_watermark()) return out_of_range(log, before);
  bound_ = before;
  return {};
}

Result<FetchCursor::Step> BackwardCursor::previous(FetchedBatch& out) {
  while (positions_.empty()) {
    if (bound_ <= walker_.log().log_start_offset()) return FetchCursor::Step::end;
    if (auto loaded = load_block(); !loaded) return loaded.error();
  }
  out.position = positions_.back();
  positions_.pop_back();
  out.header = format::read_batch_header(pin_->log.data() + out.position);
  out.bytes = {pin_->log.data() + out.position, out.header.size_bytes()};
  out.pin = &pin_;
  out.segment = &segment_;
  bound_ = out.header.base_offset;
  return FetchCursor::Step::batch;
}

// Where to begin walking: at the last batch below the bound that the index knows, or at the front of its
// segment.
Result<Offset> BackwardCursor::block_start() const {
  const PartitionLog& log = walker_.log();
  const auto list = log.segments().load();
  if (list->empty()) return out_of_range(log, bound_ - 1);
  const auto& segment = (*list)[list->find(bound_ - 1)];
  const Offset front = std::max(segment->base_offset(), log.log_start_offset());
  if (front >= bound_) return out_of_range(log, bound_ - 1);
  auto pin = segment->pin();
  if (!pin) return pin.error();
  const auto entry = (*pin)->offset_index.floor(bound_ - 1);
  return entry.position == 0 ? front : std::max(front, entry.last_offset);
}

Result<> BackwardCursor::load_block() {
  auto start = block_start();
  if (!start) return start.error();
  if (auto found = walker_.seek(*start); !found) return found;
  segment_ = walker_.segment();
  pin_ = walker_.pin();
  FetchedBatch batch;
  for (;;) {
    auto step = walker_.peek(bound_, true, batch);
    if (!step) return step.error();
    if (*step == FetchCursor::Step::end || *batch.segment != segment_) break;
    positions_.push_back(batch.position);
    walker_.advance(batch);
  }
  // Nothing there: compaction took every batch between this place and the bound.
  if (positions_.empty()) bound_ = *start;
  return {};
}

}  // namespace seriatim::partition
