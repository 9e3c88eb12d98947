// A range of whole batches in one segment file, found without reading what lies between its ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "os/vfs.hpp"
#include "partition/partition_log.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::partition {

/// Lives on its own: file and pin stay valid after retention, and after the partition.
struct FetchSlice {
  std::shared_ptr<os::File> file{};  ///< Null if there is nothing.
  segment::SegmentPin pin{};
  std::uint64_t position = 0;
  std::size_t size_bytes = 0;
  Offset first_offset = 0;  ///< Base offset of the first batch: at or below the offset asked for.
  Offset next_offset = 0;
};

/// The largest slice: what one sendfile call moves.
inline constexpr std::size_t slice_bytes_max = 2'147'479'552;

/// Finds whole batches below the high watermark, from the one that holds `from` on, up to `bytes_max` bytes,
/// but at least one; empty at the end.
/// Errors: offset_out_of_range, corrupt_record (at the first batch; damage further on ends the slice),
/// too_many_open_files, io_error.
/// Cost: two binary searches, and headers of at most index.interval.bytes at either end.
Result<FetchSlice> fetch_slice(const PartitionLogPtr& log, Offset from, std::size_t bytes_max);

}  // namespace seriatim::partition
