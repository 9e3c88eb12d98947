// Where a segment ends that another process may be appending to: found by looking at its files, changing
// nothing and trusting no length.
//
// The writer's memory cannot be seen from here. A batch counts if structure and checksum are right and its
// base offset is the one expected. Where something else follows, it is damage if a sound batch lies behind
// it, or if the catalog says that more was on stable storage: the log goes on there, and whoever reads the
// place is told (INV-11). Otherwise it is the end for the moment: room allocated ahead, or a batch that is
// just being written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "format/batch_header.hpp"
#include "format/index_entry.hpp"
#include "os/vfs.hpp"
#include "segment/files/segment_files.hpp"
#include "segment/scan/batch_stream.hpp"
#include "segment/segment.hpp"

namespace seriatim::segment {

/// Whether offsets may be missing between the batches of a segment: compaction has been there.
enum class OffsetGaps : std::uint8_t { none, allowed };

/// How far a log reached when somebody knew for certain: it does not end before.
struct KnownEnd {
  std::uint64_t position = 0;
  Offset offset = 0;
};

/// Whether a look at the end also looks behind a batch that is not whole, which costs reads for as long as
/// one is being written.
enum class BehindFault : std::uint8_t { stay, look };

/// One thread at a time.
class SegmentTail {
 public:
  /// Finds the end: from the last index entry that its batch confirms, else from the front.
  /// Errors: not_found (no log, or not all of its indexes yet) · too_many_open_files, io_error.
  /// Cost: if the segment is sealed, reads of the indexes' last entries, else of the indexes; then one
  /// checksum per batch behind the last entry.
  /// @param known  of this segment; what is damaged below is passed over.
  static Result<SegmentTail> open(const SegmentContext& context, const std::string& directory,
                                  Offset base_offset, OffsetGaps gaps, const KnownEnd& known = {});

  /// Looks for whole batches behind the end. False: there is nothing new.
  /// Errors: not_found (the log is gone, or another file has taken its place) · too_many_open_files,
  /// io_error.
  /// Cost: three system calls while nothing is new.
  Result<bool> advance(BehindFault behind = BehindFault::stay);
  /// Notes an end that has become known since; it takes effect with the next advance that looks behind
  /// faults.
  void note_known(const KnownEnd& known) noexcept;

  /// End, largest timestamp, and how many index entries are right.
  const SegmentState& state() const noexcept { return state_; }
  /// Tells the log from another file that takes its name.
  const os::FileId& log_id() const noexcept { return log_.id; }
  /// Whether the files held nothing else when they were opened, as those of a sealed segment.
  bool is_exact() const noexcept { return is_exact_; }

 private:
  friend class Segment;
  struct Watched {
    std::string path{};
    os::FileId id{};
  };
  using FilePtr = std::shared_ptr<os::File>;

  SegmentTail(const SegmentContext& context, const std::string& directory, Offset base_offset);
  Result<> find_end();
  /// The log, which stays in the descriptor cache; an index, which does not.
  Result<FilePtr> open_log() const;
  Result<FilePtr> open_index(const Watched& watched) const;
  Result<> check_same(const Watched& watched, os::File& file) const;
  Result<> find_start(os::File& log, std::uint64_t log_bytes, os::File& index);
  Result<> find_time_entries(os::File& index);
  Result<bool> start_at(os::File& log, std::uint64_t log_bytes, const format::OffsetIndexEntry& entry);
  Result<bool> may_have_grown(os::File& log, std::uint64_t log_bytes, BehindFault behind) const;
  Result<bool> walk(os::File& log, std::uint64_t log_bytes, BehindFault behind);
  Result<> walk_to_fault(os::File& log, std::uint64_t log_bytes);
  bool is_next(const BatchStream::Item& item) const noexcept;
  Result<bool> pass_over_fault(os::File& log, std::uint64_t log_bytes);
  void take(std::uint64_t position, const format::BatchHeader& header) noexcept;
  Result<> count_offset_entries(os::File& index);
  Result<> count_time_entries(os::File& index);

  SegmentContext context_;
  Watched log_{};
  Watched offset_index_{};
  Watched time_index_{};
  OffsetGaps gaps_ = OffsetGaps::none;
  KnownEnd known_{};
  SegmentState state_{};
  format::OffsetIndexEntry last_offset_entry_{-1, 0};
  format::TimeIndexEntry last_time_entry_{0, 0};
  std::uint64_t indexes_read_at_ = 0;  // end position when new entries were last looked for
  bool is_exact_ = false;
  bool has_damage_ = false;
};

}  // namespace seriatim::segment
