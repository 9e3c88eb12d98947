// The contents that the `.txnindex` of a repaired segment must have: those that its seal proves, else what
// the log says, with what was open before the segment began.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "partition/open_transactions.hpp"
#include "segment/files/segment_files.hpp"

namespace seriatim::inspect {

/// One thread at a time.
class RepairedTransactions {
 public:
  /// Finds out what was open where the segment begins: from the newest snapshot at or below it, and the logs
  /// in between. An index that proves what it says is kept instead: markers that damage hides are in it.
  /// Errors: those of the file system.
  Result<> begin(const segment::SegmentContext& context, const std::string& directory, Offset base_offset);
  /// The next batch of the segment that can be read.
  void note(const format::BatchHeader& header, base::ByteSpan batch);
  /// Called before the next batch that lies behind batches that cannot be read.
  void pass_damage();

  const std::vector<format::AbortedTransaction>& entries() const noexcept { return entries_; }
  /// Where the oldest transaction began that is open at `end_offset`, which is where the segment ends;
  /// nothing if the entries may not be all, or no transaction touches the segment.
  std::optional<Offset> first_open_offset(Offset end_offset) const;

 private:
  Result<> find_open(const segment::SegmentContext& context, const std::string& directory,
                     Offset base_offset);
  Result<> walk(const segment::SegmentContext& context, const std::string& log_path, Offset base_offset);

  partition::OpenTransactions open_;
  std::vector<format::AbortedTransaction> entries_;
  std::optional<Offset> proven_first_open_;
  bool has_transactions_ = false;
  bool met_damage_ = false;
};

}  // namespace seriatim::inspect
