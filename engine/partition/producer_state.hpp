// What is known of every producer that has written to a partition, derived from its batches alone. `note`
// records; the snapshot file carries it over a restart.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "format/producer_snapshot.hpp"
#include "os/vfs.hpp"

namespace seriatim::partition {

/// Not thread-safe; the partition's append mutex guards it.
class ProducerState {
 public:
  /// Enters a batch that is in the log. Batches without a producer change nothing.
  /// @param batch  the whole batch: a marker's record is decoded.
  /// Errors: corrupt_record: a control batch that does not decode.
  Result<> note(const format::BatchHeader& header, base::ByteSpan batch);

  bool empty() const noexcept { return producers_.empty(); }
  /// Offset up to which batches were noted, exclusive.
  Offset end_offset() const noexcept { return end_offset_; }
  void set_end_offset(Offset offset) noexcept { end_offset_ = offset; }

  /// A copy of this state was written as the snapshot of `offset`.
  void set_snapshot_offset(Offset offset) noexcept { snapshot_offset_ = offset; }
  /// Writes `<end_offset>.snapshot` into `directory`, unless the last snapshot written or loaded is of that
  /// offset. Synced and renamed into place.
  Result<> write_snapshot(os::Vfs& vfs, const std::string& directory);
  /// Replaces the state by that of a snapshot.
  /// Errors: corrupt_metadata, unsupported_version: the file; take an older one.
  Result<> load_snapshot(os::Vfs& vfs, const std::string& directory, Offset offset);

 private:
  std::map<ProducerId, format::ProducerSnapshotEntry> producers_;
  Offset end_offset_ = 0;
  Offset snapshot_offset_ = -1;
};

}  // namespace seriatim::partition
