#include "partition/read/aborted_lookup.hpp"

#include <utility>

#include "segment/header_walk.hpp"

namespace seriatim::partition {

using segment::AbortsInLog;
using segment::AbortsQuery;

// The marker that ends a transaction, and with it what the indexes say, lies behind its data: from the
// segment of the data on, to the first at whose end nothing of the range was open.
Result<std::size_t> AbortedLookup::collect(std::size_t first, AbortsQuery query,
                                           std::vector<format::AbortedTransaction>& out) {
  for (std::size_t i = first; i < segments_.size(); ++i) {
    segment::Segment& segment = *segments_[i];
    if (segment.base_offset() >= query.markers_below) return i;
    // Asked before its length, which covers it.
    const Offset known_end = segment.end_offset();
    query.log_bytes = segment.end_position();
    auto end = segment.transactions().collect(query, out);
    if (!end) return end.error();
    if (!*end) {
      if (auto taught = teach(i); !taught) return taught.error();
      query.log_bytes = segment.end_position();
      end = segment.transactions().collect(query, out);
      if (!end) return end.error();
      // The log has grown in between; what is in the range was decided before.
      if (!*end) end = std::optional(format::TransactionSeal{.end_offset = -1});
    }
    if ((*end)->end_offset < 0) continue;
    if ((*end)->first_open_offset >= query.upper) return i + 1;
    const Offset next = i + 1 < segments_.size() ? segments_[i + 1]->base_offset() : known_end;
    if (next <= (*end)->end_offset || (*end)->end_offset <= query.from) continue;
    return hidden_by_hole(segment, **end, next);
  }
  return segments_.size();
}

// Records that were lost with the markers among them must not pass for some of which nothing was aborted.
Error AbortedLookup::hidden_by_hole(const segment::Segment& segment, const format::TransactionSeal& end,
                                    Offset next) {
  return Error(Errc::corrupt_record,
               "offsets " + std::to_string(end.end_offset) + " to " + std::to_string(next - 1) + " behind " +
                   segment.log_path() +
                   " are missing, and with them the markers of transactions that were open from offset " +
                   std::to_string(end.first_open_offset) +
                   " on: whether they were committed cannot be told. Restore the file from a copy, or read "
                   "them with isolation read_uncommitted");
}

Result<> AbortedLookup::teach(std::size_t index) {
  auto open = open_at(index);
  if (!open) return open.error();
  auto walked = walk(*segments_[index], *open);
  if (!walked) return walked.error();
  note_hidden(index, *open, *walked);
  segments_[index]->transactions().learn(std::move(walked->found));
  return {};
}

// Where offsets are missing behind the segment. Compaction keeps the marker of a transaction that has records
// left; one that is open before the gap and not behind it has ended in records that were lost. So has every
// one where nothing follows.
void AbortedLookup::note_hidden(std::size_t index, const OpenTransactions& open, Walked& walked) const {
  const bool is_last = index + 1 == segments_.size();
  const Offset next_base = is_last ? walked.found.end.end_offset : segments_[index + 1]->base_offset();
  if (walked.next >= next_base || open.all().empty()) return;
  ProducerState producers;
  if (!is_last && !producers.load_snapshot(vfs_, directory_, next_base)) return;
  const OpenTransactions behind(producers);
  for (const auto& [id, first] : open.all()) {
    const auto still = behind.all().find(id);
    if (still == behind.all().end() || still->second > first)
      walked.found.unknown.push_back({.first = first, .last = walked.next - 1});
  }
}

// As the snapshot there says, or one before it and the segments in between. Where the log begins nothing is
// known to be open: of such a transaction, its first record that is left counts.
Result<OpenTransactions> AbortedLookup::open_at(std::size_t index) {
  std::size_t from = index;
  OpenTransactions open;
  for (;; --from) {
    ProducerState producers;
    const auto loaded = producers.load_snapshot(vfs_, directory_, segments_[from]->base_offset());
    if (loaded) open = OpenTransactions(producers);
    if (loaded || from == 0) break;
  }
  for (; from < index; ++from) {
    auto walked = walk(*segments_[from], open);
    if (!walked) return walked.error();
  }
  return open;
}

Result<AbortedLookup::Walked> AbortedLookup::walk(segment::Segment& segment, OpenTransactions& open) {
  auto pin = segment.pin();
  if (!pin) return pin.error();
  Walked walked{.next = segment.base_offset()};
  auto& [found, next] = walked;
  found.end = {.log_bytes = segment.end_position(), .end_offset = segment.end_offset()};
  const auto pass_damage = [&] {
    for (const auto& [id, first] : open.all())
      walked.found.unknown.push_back({.first = first, .last = walked.next - 1});
    open.clear();
  };
  segment::HeaderWalk headers(segment, **pin, segment.base_offset());
  while (const auto item = headers.next()) {
    if (item->header.base_offset >= found.end.end_offset) break;  // Published since.
    if (headers.take_damage()) pass_damage();
    const auto noted = open.note(item->header, item->batch);
    if (noted.step == OpenTransactions::Step::damaged) pass_damage();
    if (noted.step == OpenTransactions::Step::ended && noted.ended.is_aborted)
      found.entries.push_back(noted.ended.index_entry());
    next = item->header.next_offset();
  }
  if (headers.take_damage()) pass_damage();
  found.end.first_open_offset = open.first_offset(found.end.end_offset);
  return walked;
}

}  // namespace seriatim::partition
