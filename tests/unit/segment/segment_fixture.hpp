// The fixture of every test of segments: a directory, a descriptor cache, a map cache, and short names for
// the steps.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "format/file_name.hpp"
#include "os/file/fd_cache.hpp"
#include "os/file/posix_vfs.hpp"
#include "segment/recovery/segment_recovery.hpp"
#include "segment/segment.hpp"
#include "segment/segment_writer.hpp"
#include "support/log_builder.hpp"
#include "support/must.hpp"
#include "support/temp_dir.hpp"

namespace seriatim::test {

class SegmentFixture {
 public:
  explicit SegmentFixture(std::size_t map_capacity = 1024) : maps(map_capacity) {}
  /// In a directory of the caller's.
  explicit SegmentFixture(std::string root) : directory(std::move(root)) {}

 private:
  TempDir temp_;

 public:
  std::string directory = temp_.path();
  os::FdCache files{os::posix_vfs(), 64};
  segment::SegmentContext context{os::posix_vfs(), files};
  segment::MapCache maps;
  segment::SegmentLimits limits{.segment_bytes = 16ULL << 20, .index_bytes = 1ULL << 20};

  std::string path(Offset base, format::FileKind kind) const {
    return directory + "/" + format::file_name(base, kind);
  }
  std::string log_path(Offset base = 0) const { return path(base, format::FileKind::log); }
  std::string index_path(Offset base = 0) const { return path(base, format::FileKind::offset_index); }
  std::string time_index_path(Offset base = 0) const { return path(base, format::FileKind::time_index); }

  Result<segment::SegmentWriterPtr> try_create(Offset base = 0) {
    return segment::SegmentWriter::create(context, maps, directory, base, limits);
  }
  segment::SegmentWriterPtr create(Offset base = 0) { return must(try_create(base)); }

  segment::RecoveryRequest request(Offset base = 0) const {
    return {.directory = directory, .base_offset = base, .limits = limits, .may_have_gaps = false};
  }
  segment::RecoveredSegment scan(const segment::RecoveryRequest& what) {
    return must(segment::scan_segment(context, what));
  }
  /// Scan, erase, rebuild, open: what the partition does with its last segment.
  segment::SegmentWriterPtr recover(const segment::RecoveryRequest& what) {
    auto found = scan(what);
    must(segment::erase_tail(context, log_path(what.base_offset), found.state.end_position));
    if (found.indexes_need_rebuild) must(segment::rebuild_indexes(context, what, found.state));
    return must(segment::SegmentWriter::open(context, maps, directory, found.state, limits));
  }
};

inline Result<segment::PlacedBatch> try_append(segment::SegmentWriter& writer, const BuiltBatch& batch) {
  auto placed = writer.place(batch.bytes, batch.header, batch.header.base_offset);
  if (!placed) return placed;
  if (auto noted = writer.note(*placed); !noted) return noted.error();
  if (auto written = writer.write(*placed, batch.bytes); !written) return written.error();
  writer.publish(*placed);
  return placed;
}

inline void append(segment::SegmentWriter& writer, const LogBuilder& log) {
  for (const BuiltBatch& batch : log.all()) must(try_append(writer, batch));
}

/// The bytes readers may see.
inline std::vector<std::byte> visible(segment::Segment& segment) {
  const auto end = segment.end_position();
  const auto pin = must(segment.pin());
  return {pin->log.data(), pin->log.data() + end};
}

inline std::uint64_t file_size(const std::string& path) { return std::filesystem::file_size(path); }

}  // namespace seriatim::test
