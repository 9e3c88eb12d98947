// Room in a log for the batches that come next: blocks of the disk, so that a store cannot meet a full one,
// and pages that are present, so that it does not fault for long.
#pragma once

#include <cstdint>

#include <seriatim/result.hpp>

#include "os/mapping.hpp"
#include "segment/files/segment_files.hpp"

namespace seriatim::segment {

class NamedFiles;
class PagesAhead;
class Segment;
class SegmentEnd;

/// Part of a SegmentWriter, used as that is.
class LogRoom {
 public:
  /// The parts of the segment, which outlive this.
  struct Parts {
    Segment& segment;
    const NamedFiles& files;
    SegmentEnd& end;
    PagesAhead& ahead;
    os::Mapping& log;
  };
  /// @param position  the end of the log, and of its file.
  LogRoom(const Parts& parts, const SegmentLimits& limits, std::uint64_t position) noexcept;

  /// No batch goes beyond.
  std::uint64_t size_limit() const noexcept { return size_limit_; }
  /// A batch that ends behind this needs `make_ready`. At most ready_bytes().
  std::uint64_t attention_at() const noexcept { return attention_at_; }
  /// Of the map: allocated and populated, as far as is known.
  std::uint64_t ready_bytes() const noexcept { return ready_bytes_; }

  /// ok if `size` bytes fit at `position`.
  /// Errors: record_too_large.
  Result<> check_fits(std::uint64_t position, std::uint64_t size) const;
  /// Makes `size` bytes from the end of the log, at `position`, ready for stores into the map; asks for more
  /// ahead.
  /// Errors: as `check_fits` · storage_full (no block could be had; nothing changed), io_error.
  Result<> make_ready(std::uint64_t position, std::uint64_t size);
  /// Before the file is cut to `position`: nothing is ready behind it any more, and nobody populates there.
  void end_at(std::uint64_t position) noexcept;

 private:
  Result<> ensure_allocated(std::uint64_t position, std::uint64_t end);
  Result<> ensure_populated(std::uint64_t position, std::uint64_t end);
  void ask_ahead(std::uint64_t position);

  std::uint64_t ready_bytes_;
  std::uint64_t attention_at_;
  std::uint64_t size_limit_;
  std::uint64_t segment_bytes_;  // as it was configured
  std::uint64_t allocated_bytes_;
  std::uint64_t next_chunk_bytes_ = 0;
  Parts parts_;
};

}  // namespace seriatim::segment
