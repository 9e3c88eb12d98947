// The journal's batches of a partition go back into its segments, before recovery looks at them.
#include <algorithm>
#include <string>

#include "format/batch/batch_check.hpp"
#include "format/file_name.hpp"
#include "os/path.hpp"
#include "partition/recovery/partition_recovery.hpp"

namespace seriatim::partition {

// Written whether or not the file seems to have them: the page cache may show bytes that a failed sync never
// wrote, and only what is written again is synced again. A place below the recovery point is durable where it
// is, and compaction may have moved it.
Result<std::size_t> PartitionOpener::restore_journalled(const segment::DirectoryListing& listing) {
  const auto& checkpoint = request_.checkpoint;
  std::size_t restored = 0;
  for (const auto& batch : request_.journalled) {
    const auto& place = batch.place;
    const bool is_settled = place.segment_base_offset < checkpoint.recovery_segment_base ||
                            (place.segment_base_offset == checkpoint.recovery_segment_base &&
                             place.position < checkpoint.recovery_position);
    // Before the first segment: retention took it.
    const bool is_retired =
        !listing.segments.empty() && place.segment_base_offset < listing.segments.front().base_offset;
    if (is_settled || is_retired) continue;
    const std::string path = os::join_path(
        request_.directory, format::file_name(place.segment_base_offset, format::FileKind::log));
    if (format::check_batch(batch.bytes, place.base_offset) != format::BatchFault::none) {
      return Error(
          Errc::corrupt_metadata,
          "the journal's copy of offset " + std::to_string(place.base_offset) + " of " + path +
              " passes the journal's checksum and is no batch of that offset. Nothing was changed; keep "
              "a copy of the directory and report this");
    }
    const bool is_there =
        std::any_of(listing.segments.begin(), listing.segments.end(),
                    [&](const auto& file) { return file.base_offset == place.segment_base_offset; });
    if (!is_there) {
      note_damage(path + " is missing, with records that were on stable storage, offset " +
                  std::to_string(place.base_offset) +
                  " among them. Restore the file from a copy, or go on without");
      continue;
    }
    auto file = environment_.files.files.open(path, os::OpenMode::read_write);
    if (!file) return file.error();
    if (auto written = (*file)->write_at(batch.bytes, place.position); !written) return written.error();
    ++restored;
  }
  return restored;
}

}  // namespace seriatim::partition
