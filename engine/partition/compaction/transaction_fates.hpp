// How the transactions in a range of a partition ended, as their markers say: what compaction goes by. The
// log itself is asked, not the transaction indexes, which have no checksum: a record is not dropped on their
// word.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "partition/open_transactions.hpp"
#include "partition/segment_list.hpp"

namespace seriatim::partition {

enum class Fate : std::uint8_t {
  committed,
  aborted,
  unknown,  ///< Its marker is damaged, or not there: it is left as it is.
};

/// One thread at a time.
class TransactionFates {
 public:
  /// Asked behind each batch, with the bytes that were read for it; false ends the walk. It may wait.
  using GoOn = std::function<bool(std::uint64_t bytes)>;

  /// Walks the headers of `segments` from the front, until the fate of every transaction with a record below
  /// `end` is known.
  /// @param end  at or below the last stable offset.
  /// @return false: `go_on` ended the walk, and nothing may be asked of this.
  /// Errors: those of mapping a segment. Damage is passed over: whoever reads the batches finds it.
  /// Cost: one page per batch.
  Result<bool> find(const SegmentList& segments, Offset end, const GoOn& go_on);

  /// Of the transaction of a batch with data below the end.
  Fate fate_of(const format::BatchHeader& header) const noexcept;
  /// The aborted ones that have batches here, by their markers.
  const std::vector<format::AbortedTransaction>& aborted() const noexcept { return aborted_; }
  /// The first offset of the oldest transaction that was open at `offset`, at or below the end; the offset
  /// itself if none was. Nothing if damage was met, which may hide one.
  std::optional<Offset> first_open_at(Offset offset) const;

 private:
  struct Ended {
    Offset first_offset = 0;
    Offset marker_offset = 0;
    bool is_aborted = false;
  };
  Result<bool> walk(segment::Segment& segment, Offset end, const GoOn& go_on);
  void note(const format::BatchHeader& header, base::ByteSpan batch);
  bool is_done(Offset end) const noexcept;
  void forget_open();

  OpenTransactions open_;
  std::map<ProducerId, std::vector<Ended>> ended_;  // ascending
  std::vector<format::AbortedTransaction> aborted_;
  bool is_done_ = false;
  bool met_damage_ = false;
};

}  // namespace seriatim::partition
