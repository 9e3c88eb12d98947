// An index file as plain bytes, through read calls: for recovery, which judges it before it is mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "format/index_entry.hpp"
#include "segment/files/segment_files.hpp"

namespace seriatim::segment {

inline constexpr std::size_t offset_entry_bytes = format::offset_index_entry_bytes;
inline constexpr std::size_t time_entry_bytes = format::time_index_entry_bytes;

struct IndexBytes {
  bool exists =
      false;  ///< False also where the length is no multiple of the entry size, and only its end was read.
  std::uint64_t file_bytes = 0;
  std::vector<std::byte> bytes{};  ///< Whole entries.
};

/// The first entries of an index, at most `entries_max` of them. A missing file is no error: it does not
/// exist.
/// Errors: io_error and the like.
Result<IndexBytes> read_index_front(const SegmentContext& context, const std::string& path,
                                    std::size_t entry_bytes, std::uint64_t entries_max);

/// The last entry of an index, if it has one.
/// Errors: as `read_index_front`.
Result<IndexBytes> read_index_end(const SegmentContext& context, const std::string& path,
                                  std::size_t entry_bytes);

}  // namespace seriatim::segment
