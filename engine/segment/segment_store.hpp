// The files of one partition directory: lists, names, removes. Knows Kafka's names (kafka-log 2.1) and crash leftovers (2.8).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "segment/segment_files.hpp"

namespace seriatim::segment {

struct SegmentFileInfo {
  Offset base_offset = 0;
  bool has_offset_index = false;
  bool has_time_index = false;
  std::uint64_t log_bytes = 0;
};

struct DirectoryListing {
  std::vector<SegmentFileInfo> segments{};     ///< By base offset.
  std::vector<Offset> snapshots{};             ///< Producer snapshots, ascending.
  std::vector<std::string> orphan_indexes{};   ///< Index files without their log.
  std::vector<std::string> unknown{};          ///< Left alone.
};

/// Lists a partition directory. Anything in place of our files that is not a regular file is io_error with its path.
Result<DirectoryListing> list_segments(os::Vfs& vfs, const std::string& directory);

/// Finishes or undoes what a crash left half done: `.deleted` go, `.cleaned` go, complete sets of `.swap` replace what they cover (kafka-log 2.8 steps
/// 1 and 2, all six crash points of 2.12). Idempotent.
Result<> finish_interrupted_work(const SegmentContext& context, const std::string& directory);

/// Renames the files of a segment to `.deleted` (log first, so that a crash in between leaves orphan indexes, which are removed), syncs the directory, then
/// removes them. Maps and open descriptors of readers stay valid.
Result<> delete_segment_files(const SegmentContext& context, const std::string& directory, Offset base_offset);

/// Moves a file nobody can explain aside, to `<name>.damaged` (numbered if that exists): nothing is destroyed.
Result<std::string> move_aside(os::Vfs& vfs, const std::string& path);

}  // namespace seriatim::segment
