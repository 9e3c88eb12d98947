// Transactions in one partition: their markers, the index of the aborted ones, and how far a read_committed
// reader may look.
#include <algorithm>
#include <array>

#include "format/control_record.hpp"
#include "partition/partition.hpp"

namespace seriatim::partition {

Result<PartitionAppend> Partition::append_marker(const format::EndMarker& marker, std::uint64_t decision_lsn,
                                                 Durability durability) {
  std::array<std::byte, format::marker_batch_bytes> bytes;
  format::FramedBatch framed;
  format::frame_marker(marker, bytes, framed);
  return append_held_back(framed, durability, SequenceRule::given, decision_lsn);
}

// What a batch of a producer changes besides the log. Its header was framed without a place.
Result<> Partition::note_producer(const segment::PlacedBatch& placed, const format::FramedBatch& batch,
                                  Durability durability, PartitionAppend& appended) {
  if (batch.header.is_control()) return note_marker(placed, batch, durability, appended);
  if (auto staged = stage(placed, durability, appended); !staged) return staged;
  if (producers_.note_data(batch.header, placed.base_offset)) hold_back(placed.base_offset);
  return {};
}

// The index of aborted transactions is written first: it can fail for want of space, and takes the entry back
// if the marker is not published in the end.
Result<> Partition::note_marker(const segment::PlacedBatch& placed, const format::FramedBatch& batch,
                                Durability durability, PartitionAppend& appended) {
  format::BatchHeader stamped = batch.header;
  stamped.base_offset = placed.base_offset;
  const auto mark = batch.mark ? *batch.mark : format::read_control_mark(batch.bytes);
  const auto ended = producers_.ended_by(stamped, mark);
  if (!ended) return ended.error();
  const bool is_indexed = *ended && (*ended)->is_aborted;
  if (is_indexed) {
    if (auto indexed = active_->transactions().append((*ended)->index_entry()); !indexed)
      return indexed.error();
  }
  if (auto staged = stage(placed, durability, appended); !staged) {
    if (is_indexed) {
      if (auto cut = active_->transactions().cut_from(placed.base_offset); !cut)
        environment_.report(true, cut.error().message());
    }
    return staged;
  }
  producers_.note_marker(stamped, mark, *ended);
  if (*ended) appended.ended_first_offset = (*ended)->first_offset;
  return {};
}

Result<bool> Partition::has_aborted(ProducerId producer_id, Offset first_offset) {
  const auto list = segments_.load();
  std::vector<format::AbortedTransaction> aborted;
  auto collected =
      collect_aborted((*list)[list->find(first_offset)], first_offset, first_offset + 1, aborted);
  if (!collected) return collected.error();
  return std::any_of(aborted.begin(), aborted.end(), [&](const format::AbortedTransaction& entry) {
    return entry.producer_id == producer_id && entry.first_offset == first_offset;
  });
}

// The log grows at its end, and so does the list.
void Partition::hold_back(Offset first_offset) {
  const base::MutexLock lock(stable_mutex_);
  held_back_.push_back(first_offset);
  update_first_unstable();
}

void Partition::release_transaction(Offset first_offset) {
  const base::MutexLock lock(stable_mutex_);
  const auto found = std::lower_bound(held_back_.begin(), held_back_.end(), first_offset);
  if (found == held_back_.end() || *found != first_offset) return;
  held_back_.erase(found);
  update_first_unstable();
}

std::vector<Offset> Partition::held_back(Offset last) const {
  const base::MutexLock lock(stable_mutex_);
  return {held_back_.begin(), std::upper_bound(held_back_.begin(), held_back_.end(), last)};
}

// The second is read after the first, and stored before it: it is never one of before the first came first.
bool Partition::holds_back_only(Offset first, Offset last) const {
  return offsets_.first_unstable() == first && second_unstable_.load(std::memory_order_acquire) > last;
}

void Partition::update_first_unstable() {
  const auto held = [&](std::size_t index) SERIATIM_NO_THREAD_SAFETY_ANALYSIS {
    return index < held_back_.size() ? held_back_[index] : LogOffsets::nothing_unstable;
  };
  second_unstable_.store(held(1), std::memory_order_release);
  offsets_.set_first_unstable(held(0));
}

}  // namespace seriatim::partition
