// Transactions in one partition: their markers, the index of the aborted ones, and how far a read_committed
// reader may look.
#include <algorithm>

#include "format/batch/control_record.hpp"
#include "partition/partition.hpp"

namespace seriatim::partition {

// Applies the changes of a producer's batch besides those to the log. Its header was framed without a place.
Result<> Partition::note_producer(const segment::PlacedBatch& placed, const Admitted& admitted) {
  const format::BatchHeader& header = admitted.batch.header;
  has_transactions_ = has_transactions_ || header.is_transactional();
  if (header.is_control()) return note_marker(placed, admitted);
  // The frame cannot be taken back once it is staged: all memory that is needed behind it is had before.
  producers_.make_room(admitted.producer, header);
  if (header.is_transactional()) offsets_.held_back().make_room();
  if (auto staged = stage(placed, admitted); !staged) return staged;
  if (producers_.note_data(admitted.producer, header, placed.base_offset))
    offsets_.held_back().add(placed.base_offset);
  return {};
}

// The index of aborted transactions is written first: it can fail for want of space, and takes the entry back
// if the marker is not published in the end.
Result<> Partition::note_marker(const segment::PlacedBatch& placed, const Admitted& admitted) {
  const format::FramedBatch& batch = admitted.batch;
  const auto mark = batch.mark ? *batch.mark : format::read_control_mark(batch.bytes);
  const auto ended = producers_.ended_by(admitted.producer, batch.header, placed.base_offset, mark);
  if (!ended) return ended.error();
  const bool is_indexed = *ended && (*ended)->is_aborted;
  producers_.make_room(admitted.producer, batch.header);
  if (is_indexed) {
    if (auto indexed = active_->segment()->transactions().append((*ended)->index_entry()); !indexed)
      return indexed.error();
  }
  if (auto staged = stage(placed, admitted); !staged) {
    if (is_indexed) {
      if (auto cut = active_->segment()->transactions().cut_from(placed.base_offset); !cut)
        environment_.report(true, cut.error().message());
    }
    return staged;
  }
  producers_.note_marker(admitted.producer, batch.header, placed.base_offset, mark, *ended);
  if (*ended) admitted.appended.ended_first_offset = (*ended)->first_offset;
  if (*ended && !is_indexed && admitted.durability == Durability::published)
    offsets_.note_unsettled((*ended)->first_offset, placed.base_offset);
  return {};
}

// Of the active segment, which is complete: before its log is, so that the sync of the one is that of the
// other. Without a seal readers find out from the log: what fails here costs them time and nothing else.
void Partition::seal_transactions() {
  if (!has_transactions_) return;
  const Offset end = active_->segment()->end_offset();
  const Offset first_open = producers_.first_open_offset();
  auto sealed =
      active_->segment()->transactions().seal({.log_bytes = active_->segment()->end_position(),
                                               .end_offset = end,
                                               .first_open_offset = first_open >= 0 ? first_open : end});
  if (!sealed) environment_.report(true, sealed.error().message());
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

void Partition::release_transaction(Offset first_offset) { offsets_.held_back().remove(first_offset); }

std::vector<Offset> Partition::held_back(Offset last) const { return offsets_.held_back().up_to(last); }

bool Partition::holds_back_only(Offset first, Offset last) const {
  return offsets_.held_back().is_only(first, last);
}

}  // namespace seriatim::partition
