#include "partition/compaction/transaction_fates.hpp"

#include <algorithm>

#include "segment/header_walk.hpp"

namespace seriatim::partition {
namespace {

// A header is read with the page it lies on, of the size that all systems we run on have.
constexpr std::uint64_t page_bytes = 4096;

}  // namespace

Result<bool> TransactionFates::find(const SegmentList& segments, Offset end, const GoOn& go_on) {
  for (const auto& segment : segments) {
    auto walked = walk(*segment, end, go_on);
    if (!walked || !*walked) return walked;
    if (is_done_) break;
  }
  return true;
}

bool TransactionFates::is_done(Offset end) const noexcept {
  return std::none_of(open_.all().begin(), open_.all().end(),
                      [end](const auto& entry) { return entry.second < end; });
}

Result<bool> TransactionFates::walk(segment::Segment& segment, Offset end, const GoOn& go_on) {
  auto pin = segment.pin();
  if (!pin) return pin.error();
  segment::HeaderWalk headers(segment, **pin, segment.base_offset());
  while (const auto item = headers.next()) {
    if (headers.take_damage()) forget_open();
    is_done_ = item->header.base_offset >= end && is_done(end);
    if (is_done_) return true;
    if (item->header.is_transactional()) note(item->header, item->batch);
    if (!go_on(std::min<std::uint64_t>(item->batch.size(), page_bytes))) return false;
  }
  if (headers.take_damage()) forget_open();
  return true;
}

// Their markers may be what is damaged.
void TransactionFates::forget_open() {
  open_.clear();
  met_damage_ = true;
}

void TransactionFates::note(const format::BatchHeader& header, base::ByteSpan batch) {
  const auto noted = open_.note(header, batch);
  if (noted.step == OpenTransactions::Step::damaged) forget_open();
  if (noted.step != OpenTransactions::Step::ended) return;
  const EndedTransaction& ended = noted.ended;
  ended_[header.producer_id].push_back({.first_offset = ended.first_offset,
                                        .marker_offset = ended.last_offset,
                                        .is_aborted = ended.is_aborted});
  if (ended.is_aborted) aborted_.push_back(ended.index_entry());
}

std::optional<Offset> TransactionFates::first_open_at(Offset offset) const {
  if (met_damage_) return std::nullopt;
  Offset first = offset;
  for (const auto& [id, first_offset] : open_.all()) first = std::min(first, first_offset);
  for (const auto& [id, all] : ended_) {
    for (const Ended& entry : all) {
      if (entry.marker_offset >= offset) first = std::min(first, entry.first_offset);
    }
  }
  return first;
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
