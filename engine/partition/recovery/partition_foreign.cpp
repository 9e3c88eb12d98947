// Files in a partition's directory that its writer did not leave there.
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "format/batch/batch_check.hpp"
#include "format/batch_layout.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "partition/recovery/partition_recovery.hpp"
#include "segment/scan/batch_search.hpp"

namespace seriatim::partition {
namespace {

using segment::SegmentFileInfo;

enum class Holding { batches, nothing, garbage };

Result<Holding> holding_of(const segment::SegmentContext& files, const std::string& path, Offset base) {
  auto log = files.files.open(path, os::OpenMode::read);
  if (!log) return log.error();
  auto size = (*log)->size();
  if (!size) return size.error();
  segment::FileLogBytes bytes(**log);
  auto is_whole = segment::is_whole_batch(bytes, 0, *size);
  if (!is_whole) return is_whole.error();
  if (*is_whole) return Holding::batches;
  auto sound = segment::find_sound_batch(bytes, {.fault_position = 0, .end = *size, .lowest_base = base});
  if (!sound) return sound.error();
  if (*sound) return Holding::batches;
  auto front = bytes.at(0, format::header_bytes);
  if (!front) return front.error();
  const bool is_unused = format::check_structure(*front, base) == format::BatchFault::end_of_log;
  return is_unused ? Holding::nothing : Holding::garbage;
}

}  // namespace

// A file without one sound batch takes no offset: it is no part of the log if it lies behind the end that the
// close knew, or among the offsets of the segment before it. One that others follow may be a damaged part of
// a log that was put there, and stays where it is.
Result<bool> PartitionOpener::is_stranger(const std::vector<SegmentFileInfo>& files,
                                          std::size_t index) const {
  const auto& checkpoint = request_.checkpoint;
  const Offset base = files[index].base_offset;
  if (base == checkpoint.recovery_segment_base) return false;
  const bool is_behind = index + 1 == files.size() && base > checkpoint.recovery_point_offset;
  if (!is_behind && index == 0) return false;
  auto holding = holding_of(environment_.files, log_path(base), base);
  if (!holding) return holding.error();
  if (*holding == Holding::batches) return false;
  // Where the log of another writer was put in the place of ours, its last segment may be empty, and only the
  // name says where that log goes on.
  const bool ours_is_there = std::any_of(files.begin(), files.end(), [&](const SegmentFileInfo& file) {
    return file.base_offset == checkpoint.recovery_segment_base &&
           file.log_bytes == checkpoint.recovery_position;
  });
  if (is_behind && (*holding == Holding::garbage || ours_is_there)) return true;
  if (index == 0) return false;
  auto before = count_records(environment_.files, log_path(files[index - 1].base_offset), 0);
  if (!before) return before.error();
  return before->last_offset >= base;
}

Result<> PartitionOpener::set_strangers_aside(segment::DirectoryListing& listing) {
  auto& files = listing.segments;
  bool any = false;
  // From the end: once the last is gone, the one before it is.
  for (std::size_t i = files.size(); i-- > 0;) {
    auto is_other = is_stranger(files, i);
    if (!is_other) return is_other.error();
    if (!*is_other) continue;
    const std::string path = log_path(files[i].base_offset);
    auto noted =
        note_taken(path, 0, "not one batch in it is sound; it is no part of the log, and is moved aside");
    if (!noted) return noted;
    auto moved = segment::move_aside(environment_.files.vfs, path);
    if (!moved) return moved.error();
    environment_.report(true, path +
                                  " is no part of the log (not one batch in it is sound) and was moved to " +
                                  *moved + ". Delete it, or put it where it belongs");
    auto removed =
        segment::delete_segment_files(environment_.files, request_.directory, files[i].base_offset);
    if (!removed) return removed;
    files.erase(files.begin() + static_cast<std::ptrdiff_t>(i));
    any = true;
  }
  return any ? environment_.files.vfs.sync_directory(request_.directory) : Result<>();
}

void PartitionOpener::note_shorter_log() {
  note_damage(log_path(last_state_->base_offset) + " ends at offset " +
              std::to_string(last_state_->end_offset) + " (position " +
              std::to_string(last_state_->end_position) +
              "), but the log was closed with records up to offset " +
              std::to_string(request_.checkpoint.recovery_point_offset) +
              ": its files were exchanged or cut since. Restore them from a copy, or go on without them");
}

std::string PartitionOpener::log_path(Offset base) const {
  return os::join_path(request_.directory, format::file_name(base, format::FileKind::log));
}

}  // namespace seriatim::partition
