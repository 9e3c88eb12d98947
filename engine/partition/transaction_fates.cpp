#include "partition/transaction_fates.hpp"

#include <algorithm>

#include "format/batch_check.hpp"
#include "format/control_record.hpp"
#include "segment/header_walk.hpp"

namespace seriatim::partition {

Result<> TransactionFates::find(const SegmentList& segments, Offset end) {
  for (const auto& segment : segments) {
    if (auto walked = walk(*segment, end); !walked) return walked;
    if (is_done_) break;
  }
  return {};
}

bool TransactionFates::is_done(Offset end) const noexcept {
  return std::none_of(open_.begin(), open_.end(), [end](const auto& entry) { return entry.second < end; });
}

Result<> TransactionFates::walk(segment::Segment& segment, Offset end) {
  auto pin = segment.pin();
  if (!pin) return pin.error();
  segment::HeaderWalk headers(segment, **pin, segment.base_offset());
  const auto forget_what_damage_hides = [&] {
    if (headers.take_damage()) open_.clear();  // Their markers may be what is damaged.
  };
  while (const auto item = headers.next()) {
    forget_what_damage_hides();
    is_done_ = item->header.base_offset >= end && is_done(end);
    if (is_done_) return {};
    if (item->header.is_transactional()) note(item->header, item->batch);
  }
  forget_what_damage_hides();
  return {};
}

void TransactionFates::note(const format::BatchHeader& header, base::ByteSpan batch) {
  if (!header.is_control()) {
    open_.emplace(header.producer_id, header.base_offset);
    return;
  }
  const auto marker =
      format::crc_is_valid(batch) ? format::read_control_batch(batch) : format::ControlBatch::malformed;
  const auto open = open_.find(header.producer_id);
  if (open == open_.end()) return;
  const Ended ended{.first_offset = open->second,
                    .marker_offset = header.base_offset,
                    .is_aborted = marker == format::ControlBatch::abort};
  if (marker == format::ControlBatch::other || marker == format::ControlBatch::emptied) return;
  open_.erase(open);
  if (marker == format::ControlBatch::malformed) return;
  ended_[header.producer_id].push_back(ended);
  if (!ended.is_aborted) return;
  const auto oldest = std::min_element(open_.begin(), open_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  aborted_.push_back({.producer_id = header.producer_id,
                      .first_offset = ended.first_offset,
                      .last_offset = ended.marker_offset,
                      .last_stable_offset = oldest == open_.end() ? header.next_offset() : oldest->second});
}

Fate TransactionFates::fate_of(const format::BatchHeader& header) const noexcept {
  const auto of_producer = ended_.find(header.producer_id);
  if (of_producer == ended_.end()) return Fate::unknown;
  const auto& all = of_producer->second;
  const auto ended =
      std::lower_bound(all.begin(), all.end(), header.base_offset,
                       [](const Ended& entry, Offset offset) { return entry.marker_offset < offset; });
  if (ended == all.end() || header.base_offset < ended->first_offset) return Fate::unknown;
  return ended->is_aborted ? Fate::aborted : Fate::committed;
}

}  // namespace seriatim::partition
