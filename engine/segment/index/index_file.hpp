// A file of fixed-size entries, mapped: what the offset index and the time index share.
//
// Active: the file is extended ahead in small growing chunks with allocate (an idle topic must not hold
// 20 MB of index), the map spans the limit from the start so that no reader ever sees it move. Sealed: exact
// length, mapped read-only. One writer; any number of readers, which see an entry once `count` says so.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "os/mapping.hpp"
#include "segment/files/segment_files.hpp"

namespace seriatim::segment {

/// The shape of an index file that is appended to.
struct IndexShape {
  std::size_t entry_bytes = 0;
  std::uint64_t limit_bytes = 0;  ///< The file never grows beyond this, rounded down to whole entries.
  bool mapped_writes = true;      ///< False: entries are written with pwrite and the map is read-only.
};

/// corrupt_metadata: an index that is not there, and how it is made again.
Error missing_index(const std::string& path);

class IndexFile {
 public:
  /// Opens `path` for appending, creating it if it is missing, and keeps its first `valid_entries` entries.
  /// The bytes behind them are erased; the file keeps its length, because other processes may have mapped
  /// it.
  /// Errors: corrupt_metadata (fewer entries than that: rebuild) · storage_full, too_many_open_files,
  /// permission_denied, io_error; the file may have been created then.
  static Result<std::unique_ptr<IndexFile>> open_active(const SegmentContext& context,
                                                        const std::string& path, const IndexShape& shape,
                                                        std::uint64_t valid_entries);
  /// Maps the whole of a sealed index read-only.
  /// Errors: corrupt_metadata (no file, or its length is no multiple of the entry size): the caller rebuilds
  /// · too_many_open_files, permission_denied, io_error.
  static Result<std::unique_ptr<IndexFile>> open_sealed(const SegmentContext& context,
                                                        const std::string& path, std::size_t entry_bytes);

  /// Maps an index that another process appends to, from `file`, which is its path's: `entries` of it may be
  /// looked at. The map is as long as the index of a segment of default limits may get; what lies beyond is
  /// never counted.
  /// Errors: too_many_open_files, io_error.
  static Result<std::unique_ptr<IndexFile>> open_followed(const SegmentContext& context, os::File& file,
                                                          std::size_t entry_bytes, std::uint64_t entries);
  /// Lets readers see the first `entries`, which the caller has found to be there and right. Followed indexes
  /// only.
  void follow_to(std::uint64_t entries) noexcept {
    count_.store(std::min(entries, capacity_), std::memory_order_release);
  }

  /// Entries readers may look at. Acquire.
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  /// The bytes of entry `index` < count().
  const std::byte* entry(std::uint64_t index) const noexcept { return map_.data() + index * entry_bytes_; }
  bool is_full(std::uint64_t reserve = 0) const noexcept { return count() + reserve >= capacity_; }
  std::uint64_t size_bytes() const noexcept { return count() * entry_bytes_; }
  const std::string& path() const noexcept { return path_; }

  /// Writes one entry of entry_bytes bytes behind the last one, for no reader to see before `commit`; staging
  /// again overwrites it. Writer only; not when full.
  /// Errors: storage_full and the like; nothing has changed then.
  Result<> stage(const std::byte* entry);
  /// Takes the blocks that the next entry may need, so that `stage` of a mapped file cannot fail. Writer
  /// only; not when full.
  /// Errors: storage_full and the like; nothing has changed then.
  Result<> make_room();
  /// The last entry does not count any more, and the next one overwrites it. Before anybody reads; the file
  /// stays as it is.
  void uncount_last() noexcept { count_.store(count() - 1, std::memory_order_release); }
  /// Makes the staged entry count. Writer only.
  void commit() noexcept {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  /// Cuts the file behind its entries, `staged` more included. Readers go on; the next `stage` extends it
  /// again.
  Result<> trim(std::uint64_t staged = 0);
  /// Makes the map read-only; no appends from then on.
  Result<> protect();

 private:
  IndexFile(const SegmentContext& context, std::string path, std::size_t entry_bytes) noexcept
      : context_(context), path_(std::move(path)), entry_bytes_(entry_bytes) {}
  Result<> map_active(const IndexShape& shape, std::uint64_t valid_entries);
  Result<> extend(std::uint64_t needed_bytes);

  SegmentContext context_;
  std::string path_;
  std::size_t entry_bytes_;
  bool mapped_writes_ = true;
  std::uint64_t limit_bytes_ = 0;
  std::uint64_t capacity_ = 0;         // entries
  std::uint64_t allocated_bytes_ = 0;  // of the file, zero if nothing is known to be; writer only
  std::atomic<std::uint64_t> count_{0};
  os::Mapping map_;
};

}  // namespace seriatim::segment
