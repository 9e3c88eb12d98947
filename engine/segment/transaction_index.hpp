// `.txnindex` of one segment: the transactions whose abort marker lies in it (kafka-log 2.4). Small, neither
// mapped nor allocated ahead, and missing where nothing was aborted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "format/index_entry.hpp"
#include "segment/segment_files.hpp"

namespace seriatim::segment {

/// Threads: any; one at a time may change it.
class TransactionIndex {
 public:
  TransactionIndex(const SegmentContext& context, std::string path, Offset base_offset);

  /// Adds the transaction that a marker, the next to be published, aborts. If the marker is not published in
  /// the end, `cut_from` takes the entry back.
  /// Errors: storage_full, io_error, ...: nothing changed · corrupt_metadata, as `collect`.
  Result<> append(const format::AbortedTransaction& entry);
  /// Takes back the entries whose marker lies at or above `marker`. Errors: as `append`.
  Result<> cut_from(Offset marker);
  /// Makes the entries with a marker at or above `marker` be `entries`, and syncs the file and its name, also
  /// if they are already. For recovery. Errors: as `append`, storage_failed.
  Result<> replace_from(Offset marker, const std::vector<format::AbortedTransaction>& entries);
  /// Writes all of it anew, over a file that makes no sense, and syncs. For recovery.
  /// Errors: storage_full, io_error, ..., storage_failed.
  Result<> make_again(const std::vector<format::AbortedTransaction>& entries);
  /// Brings it to stable storage, if something was added. Errors: as File::sync_data.
  Result<> sync();

  /// Adds to `out`, in the order of their markers, the transactions that overlap [from, upper).
  /// @return true if later segments have none that do.
  /// Errors: corrupt_metadata: the file fails its checks; opening for writing makes it again · those of the
  /// file system.
  Result<bool> collect(Offset from, Offset upper, std::vector<format::AbortedTransaction>& out);

  const std::string& path() const noexcept { return path_; }

 private:
  Result<> load() SERIATIM_REQUIRES(mutex_);
  Result<> write(std::size_t first) SERIATIM_REQUIRES(mutex_);

  const SegmentContext context_;
  const std::string path_;
  const Offset base_offset_;
  base::Mutex mutex_;
  std::vector<format::AbortedTransaction> entries_ SERIATIM_GUARDED_BY(mutex_);
  /// This object has written the file, so that what it holds is all there is.
  bool is_owned_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool needs_sync_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_new_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< Its name is not durable yet.
};

}  // namespace seriatim::segment
