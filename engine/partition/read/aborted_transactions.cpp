#include "partition/read/aborted_transactions.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "partition/read/aborted_lookup.hpp"

namespace seriatim::partition {

using format::AbortedTransaction;

// The transactions of one producer do not overlap, so that the last one that begins at or before a batch is
// the only one that can hold it.
Result<bool> AbortedTransactions::contain(const FetchedBatch& batch, Offset from, Offset bound) {
  const Offset offset = batch.header.base_offset;
  if (offset < from_ || offset >= upper_) {
    const Offset upper = std::max(std::min(bound, (*batch.segment)->end_offset()), offset + 1);
    auto looked = look(*batch.segment, from, upper);
    // Somewhere in the range it cannot be told: here it may be.
    if (!looked && looked.error().code() == Errc::corrupt_record)
      looked = look(*batch.segment, offset, offset + 1);
    if (!looked) return looked.error();
  }
  const std::pair sought(batch.header.producer_id, offset);
  const auto after = std::upper_bound(found_.begin(), found_.end(), sought,
                                      [](const auto& target, const AbortedTransaction& entry) {
                                        return target < std::pair(entry.producer_id, entry.first_offset);
                                      });
  if (after == found_.begin()) return false;
  const AbortedTransaction& before = *std::prev(after);
  return before.producer_id == batch.header.producer_id && offset <= before.last_offset;
}

Result<> AbortedTransactions::look(const segment::SegmentPtr& segment, Offset from, Offset upper) {
  found_.clear();
  from_ = upper_ = 0;  // Until it is known.
  if (auto collected = log_.collect_aborted(segment, from, upper, found_); !collected) return collected;
  std::sort(found_.begin(), found_.end(), [](const AbortedTransaction& a, const AbortedTransaction& b) {
    return std::tie(a.producer_id, a.first_offset) < std::tie(b.producer_id, b.first_offset);
  });
  from_ = from;
  upper_ = upper;
  return {};
}

Error segment_is_gone(const segment::Segment& segment) {
  return {Errc::not_found, segment.log_path() +
                               " was deleted or replaced while its aborted transactions were looked for; "
                               "look the offset up again"};
}

Result<> PartitionLog::collect_aborted(const segment::SegmentPtr& segment, Offset from, Offset upper,
                                       std::vector<AbortedTransaction>& out) {
  const auto list = segments_.load();
  const auto first = std::find(list->begin(), list->end(), segment);
  if (first == list->end()) return segment_is_gone(*segment);
  const auto first_index = static_cast<std::size_t>(first - list->begin());
  auto end_index = AbortedLookup(environment_.files.vfs, directory_, *list)
                       .collect(first_index, {.from = from, .upper = upper}, out);
  if (!end_index) return end_index.error();
  const auto end = list->begin() + static_cast<std::ptrdiff_t>(*end_index);
  // The segments have to be the same ones still, so that no index that was just deleted, or moved out of the
  // way, was taken for that of what is read: they leave the list before retention deletes their files, and
  // compaction, during whose exchange neither the old nor the new ones are there, is waited for.
  if (may_have_gaps()) {
    if (auto reloaded = reload(); !reloaded) return reloaded;
  }
  const auto now = segments_.load();
  const auto still = std::find(now->begin(), now->end(), segment);
  if (std::distance(still, now->end()) < std::distance(first, end) || !std::equal(first, end, still))
    return segment_is_gone(*segment);
  return {};
}

}  // namespace seriatim::partition
