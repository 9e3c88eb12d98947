// Which transactions of a run of segments were aborted: their indexes say it where they can prove it, and
// where they cannot, the log itself is walked, once, and the index told.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "format/index_entry.hpp"
#include "os/vfs.hpp"
#include "partition/open_transactions.hpp"
#include "partition/segment_list.hpp"

namespace seriatim::partition {

/// One thread at a time; several may look at the same segments.
class AbortedLookup {
 public:
  /// @param directory  of the partition: what was open where a segment begins is in the snapshots there.
  AbortedLookup(os::Vfs& vfs, const std::string& directory, const SegmentList& segments) noexcept
      : vfs_(vfs), directory_(directory), segments_(segments) {}

  /// Adds to `out` the aborted transactions that overlap [query.from, query.upper), from the segment `first`
  /// on, which `from` lies in. The length of the log in the query is not looked at.
  /// @return one past the last segment that was looked at.
  /// Errors: corrupt_record: damage, or a missing segment, hides how a transaction in the range ended ·
  /// not_found: a segment was deleted meanwhile · those of mapping a segment and of the file system.
  /// Cost: a look into the index of a segment or two; where one can prove nothing, a page per batch of its
  /// segment, the first time.
  Result<std::size_t> collect(std::size_t first, segment::AbortsQuery query,
                              std::vector<format::AbortedTransaction>& out);

 private:
  struct Walked {
    segment::AbortsInLog found{};
    Offset next = 0;  ///< Behind the last batch.
  };
  Result<> teach(std::size_t index);
  void note_hidden(std::size_t index, const OpenTransactions& open, Walked& walked) const;
  Result<OpenTransactions> open_at(std::size_t index);
  Result<Walked> walk(segment::Segment& segment, OpenTransactions& open);
  static Error hidden_by_hole(const segment::Segment& segment, const format::TransactionSeal& end,
                              Offset next);

  os::Vfs& vfs_;
  const std::string& directory_;
  const SegmentList& segments_;
};

}  // namespace seriatim::partition
