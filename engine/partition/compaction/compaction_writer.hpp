// Writes the segment that takes the place of a group of segments: `.cleaned` files, then `.swap`, then the
// final names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/bytes.hpp"
#include "format/batch_header.hpp"
#include "format/file_name.hpp"
#include "format/index_entry.hpp"
#include "segment/files/segment_files.hpp"
#include "segment/index/index_builder.hpp"
#include "segment/segment.hpp"

namespace seriatim::partition {

/// One thread at a time.
class CompactionWriter {
 public:
  CompactionWriter(const segment::SegmentContext& context, std::string directory, Offset base_offset,
                   std::uint64_t index_interval_bytes);

  /// Creates `N.log.cleaned`, replacing one that a crash left.
  Result<> open();
  /// Appends a batch.
  Result<> write(const format::BatchHeader& header, base::ByteSpan batch);
  /// The aborted transactions whose marker is in it, by their markers. After the last batch.
  /// @param first_open_offset  where the oldest transaction began that is open at `end_offset`; nothing: it
  /// is not known whether these are all.
  /// @param end_offset  where the log goes on.
  void set_aborted(const std::vector<format::AbortedTransaction>& aborted,
                   std::optional<Offset> first_open_offset, Offset end_offset);
  bool has_transaction_index() const noexcept { return transactions_.has_value(); }
  /// Writes the indexes, gives the log the modification time of its last source, syncs everything and renames
  /// it to `.swap`: complete, to be swapped in by whoever opens the directory next if we die.
  Result<> finish(std::int64_t modified_ms);
  /// Renames `.swap` to the final names. The originals must be gone or `.deleted`.
  Result<> swap_in();
  /// Renames what `swap_in` has renamed back to `.swap`. Names only: the caller syncs the directory.
  Result<> swap_out();
  /// Removes what was written, after an error.
  /// Errors: as the file system: a `.swap` is left, which the next open would take for the new segment.
  Result<> abandon();

  std::uint64_t bytes() const noexcept { return position_; }
  std::size_t index_bytes() const noexcept {
    return indexes_.offset_entries().size() + indexes_.time_entries().size();
  }
  Offset base_offset() const noexcept { return base_offset_; }
  /// State of the finished segment.
  segment::SegmentState state() const noexcept;

 private:
  Result<> flush();
  std::string path_of(format::FileKind kind, format::FileState state) const;
  Result<> write_index(const std::string& name, base::ByteSpan bytes);
  std::vector<format::FileKind> kinds() const;

  segment::SegmentContext context_;
  std::string directory_;
  Offset base_offset_;
  bool has_swaps_ = false;
  segment::IndexBuilder indexes_;
  std::optional<std::vector<std::byte>> transactions_;  ///< The `.txnindex`, if there is to be one.
  std::unique_ptr<os::File> log_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_position_ = 0;
  std::uint64_t position_ = 0;
  Offset end_offset_;
  std::int64_t first_timestamp_ms_ = -1;
};

}  // namespace seriatim::partition
