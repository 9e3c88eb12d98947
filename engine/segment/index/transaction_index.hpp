// `.txnindex` of one segment: the transactions whose abort marker lies in it (kafka-log 2.4). Small, neither
// mapped nor allocated ahead.
//
// Its entries have no checksum, and a missing file looks as if nothing had been aborted. So the file alone is
// never believed: what is known of the segment is what this object has noted itself, what the seal of the
// file proves, and what `learn` was told from the log. Asked for more, it says that it does not know.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "format/index_entry.hpp"
#include "format/transaction_seal.hpp"
#include "segment/files/segment_files.hpp"

namespace seriatim::segment {

/// A question to a transaction index.
struct AbortsQuery {
  /// Of the transactions that overlap [from, upper).
  Offset from = 0;
  Offset upper = 0;
  std::uint64_t log_bytes = 0;  ///< The published length of the segment's log.
  /// Markers at or above are known to who asks.
  Offset markers_below = std::numeric_limits<Offset>::max();
};

/// The result of a walk through the log of a segment.
struct AbortsInLog {
  /// Offsets below a damaged place, of transactions whose end it may hide. Both ends included.
  struct Unknown {
    Offset first = 0;
    Offset last = 0;
  };
  std::vector<format::AbortedTransaction> entries{};  ///< By their markers.
  std::vector<Unknown> unknown{};
  /// How far the walk went, and what was open there.
  format::TransactionSeal end{};
};

/// Threads: any; one at a time may change it.
class TransactionIndex {
 public:
  TransactionIndex(const SegmentContext& context, std::string path, Offset base_offset);

  /// This object notes what is aborted from here on: markers at or above `offset` are in no file that counts.
  /// For the appender, before anything else.
  void note_from(Offset offset);
  /// Adds the transaction that a marker, the next to be published, aborts. If the marker is not published in
  /// the end, `cut_from` takes the entry back.
  /// Errors: storage_full, io_error, ...: nothing changed.
  Result<> append(const format::AbortedTransaction& entry);
  /// Takes back the entries whose marker lies at or above `marker`.
  /// Errors: as `append`.
  Result<> cut_from(Offset marker);
  /// Makes the entries with a marker at or above `marker` be `entries`, and syncs the file and its name, also
  /// if they are already. For recovery, which notes from `marker` on.
  /// @param log_bytes  of the segment.
  /// Errors: as `append`, storage_failed.
  Result<> replace_from(Offset marker, const std::vector<format::AbortedTransaction>& entries,
                        std::uint64_t log_bytes);
  /// The segment is complete as `seal` says: writes that, if it is known what was aborted in all of it.
  /// Errors: as `append`; without its seal the index is made out from the log.
  Result<> seal(const format::TransactionSeal& seal);
  /// Brings it to stable storage, if something was added.
  /// Errors: as File::sync_data.
  Result<> sync();

  /// Adds to `out`, in the order of their markers, the transactions that overlap the range.
  /// @return where the segment ends and what is open there (where that is not known: an end of -1); nothing,
  /// with `out` as it was, if it is not known which were aborted: `learn` it then.
  /// Errors: corrupt_record: damage of the log hides how a transaction in the range ended · those of the file
  /// system.
  Result<std::optional<format::TransactionSeal>> collect(const AbortsQuery& query,
                                                         std::vector<format::AbortedTransaction>& out);
  /// Takes over what the log says, from the front of the segment.
  void learn(AbortsInLog found);
  struct Proven {
    std::vector<format::AbortedTransaction> entries{};
    format::TransactionSeal seal{};
  };
  /// The contents of the file, if it has a seal, for a log of so many bytes.
  /// Errors: those of the file system.
  Result<std::optional<Proven>> proven(std::uint64_t log_bytes);

  const std::string& path() const noexcept { return path_; }

 private:
  Result<> load(std::uint64_t log_bytes) SERIATIM_REQUIRES(mutex_);
  Result<> look_at_file(std::uint64_t log_bytes) SERIATIM_REQUIRES(mutex_);
  Result<> write(std::size_t first) SERIATIM_REQUIRES(mutex_);
  Result<> write_file(std::uint64_t at, const std::vector<std::byte>& bytes) SERIATIM_REQUIRES(mutex_);
  bool is_complete(std::uint64_t log_bytes) const SERIATIM_REQUIRES(mutex_);
  Result<> check_known(const AbortsQuery& query) const SERIATIM_REQUIRES(mutex_);

  const SegmentContext context_;
  const std::string path_;
  const Offset base_offset_;
  base::Mutex mutex_;
  std::vector<format::AbortedTransaction> entries_ SERIATIM_GUARDED_BY(mutex_);
  std::vector<AbortsInLog::Unknown> unknown_ SERIATIM_GUARDED_BY(mutex_);
  /// Which markers the entries are right about: those below the one, and those at or above the other.
  Offset known_below_ SERIATIM_GUARDED_BY(mutex_);
  Offset known_from_ SERIATIM_GUARDED_BY(mutex_) = std::numeric_limits<Offset>::max();
  /// Of the file, or learned.
  std::optional<format::TransactionSeal> seal_ SERIATIM_GUARDED_BY(mutex_);
  bool is_loaded_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< The file has nothing that is not here.
  bool differs_ SERIATIM_GUARDED_BY(mutex_) = false;    ///< The file has something else, from its front on.
  bool is_stored_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< `seal_` is in the file.
  bool needs_sync_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_new_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< Its name is not durable yet.
};

}  // namespace seriatim::segment
