// The files of one partition directory: lists, names, removes. Knows Kafka's names (kafka-log 2.1) and crash
// leftovers (kafka-log 2.8).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "segment/files/segment_files.hpp"

namespace seriatim::segment {

struct SegmentFileInfo {
  Offset base_offset = 0;
  bool has_offset_index = false;
  bool has_time_index = false;
  std::uint64_t log_bytes = 0;
  /// Tells a log from another that took its name: compaction can make one of the same length, and the file
  /// system can give the number of a file that is gone to the next one.
  os::FileId log_id{};
  std::uint32_t first_batch_crc = 0;  ///< As its header says; 0 if there is none.
};

struct DirectoryListing {
  std::vector<SegmentFileInfo> segments{};  ///< By base offset.
  std::vector<Offset> snapshots{};          ///< Producer snapshots, ascending.
  std::vector<std::string> orphans{};  ///< Indexes without their log, `.producers` without their snapshot.
  std::vector<std::string> interrupted{};  ///< For finish_interrupted_work.
  std::vector<std::string> unknown{};      ///< Left alone.
};

/// Lists a partition directory.
/// Errors: io_error: something that is not a regular file bears one of our names · as the file system says.
Result<DirectoryListing> list_segments(os::Vfs& vfs, const std::string& directory);

/// Finishes or undoes what a crash left half done: `.deleted` go, `.cleaned` go, complete sets of `.swap`
/// replace what they cover (kafka-log 2.8 steps 1 and 2, all six crash points of kafka-log 2.12). Idempotent.
/// Errors: corrupt_record: a `.swap` log is damaged; nothing was replaced · as the file system says; the call
/// may be repeated.
Result<> finish_interrupted_work(const SegmentContext& context, const std::string& directory);

/// Renames the log of a segment to `.deleted`, syncs the directory, then removes all its files: a crash in
/// between leaves orphan indexes, which are removed, and never a log without its indexes. Maps and open
/// descriptors of readers stay valid. Producer snapshots are not touched. Idempotent: files that are gone are
/// no error.
Result<> delete_segment_files(const SegmentContext& context, const std::string& directory,
                              Offset base_offset);

/// The parts of it, for an exchange that may have to be taken back. Names only: the caller syncs the
/// directory in between. Each is idempotent.
Result<> put_segment_files_aside(const SegmentContext& context, const std::string& directory,
                                 Offset base_offset);
Result<> bring_segment_files_back(const SegmentContext& context, const std::string& directory,
                                  Offset base_offset);
Result<> remove_files_put_aside(const SegmentContext& context, const std::string& directory,
                                Offset base_offset);

/// Copies what `path` has from `position` on to `<name>.damaged` (numbered if that exists), without the zeros
/// at its end, and syncs it.
/// @return the new path; empty: there was nothing but zeros.
Result<std::string> copy_tail_aside(const SegmentContext& context, const std::string& path,
                                    std::uint64_t position);

/// Moves a file nobody can explain aside, to `<name>.damaged` (numbered if that exists): nothing is
/// destroyed.
/// @return the new path.
Result<std::string> move_aside(os::Vfs& vfs, const std::string& path);

}  // namespace seriatim::segment
