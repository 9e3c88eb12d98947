// A file of fixed-size entries, mapped: what the offset index and the time index share.
//
// Active: the file is extended ahead in small growing chunks with allocate (an idle topic must not hold
// 20 MB of index), the map spans the limit from the start so that no reader ever sees it move. Sealed: exact length,
// mapped read-only. One writer; any number of readers, which see an entry once `count` says so.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <seriatim/result.hpp>

#include "base/bytes.hpp"
#include "os/mapping.hpp"
#include "segment/segment_files.hpp"

namespace seriatim::segment {

class IndexFile {
 public:
  /// Opens `path` for appending, creating it if it is missing, and keeps its first `valid_entries` entries.
  /// Whatever lay behind them is dropped.
  /// Errors: storage_full, too_many_open_files, io_error ...; the file may have been created then.
  static Result<std::unique_ptr<IndexFile>> open_active(const SegmentContext& context, const std::string& path,
                                                        std::size_t entry_bytes, std::uint64_t limit_bytes,
                                                        std::uint64_t valid_entries);
  /// Maps the whole of a sealed index read-only. A length that is no multiple of the entry size, or a missing
  /// file, is corrupt_metadata / not_found: the caller rebuilds.
  static Result<std::unique_ptr<IndexFile>> open_sealed(const SegmentContext& context, const std::string& path,
                                                        std::size_t entry_bytes);

  /// Entries readers may look at. Acquire.
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }
  /// The bytes of entry `index` < count().
  const std::byte* entry(std::uint64_t index) const noexcept { return map_.data() + index * entry_bytes_; }
  bool is_full(std::uint64_t reserve = 0) const noexcept { return count() + reserve >= capacity_; }
  std::uint64_t size_bytes() const noexcept { return count() * entry_bytes_; }

  /// Appends one entry of entry_bytes bytes. Writer only; not when full.
  /// Errors: storage_full and the like from extending the file; nothing appended then.
  Result<> append(const std::byte* entry);
  /// Trims the file to its entries; no appends from then on. Readers go on.
  Result<> seal();
  /// Writes the entries to stable storage. Only a performance matter: a lost index is rebuilt.
  Result<> sync();

 private:
  IndexFile(const SegmentContext& context, std::string path, std::size_t entry_bytes) noexcept
      : context_(context), path_(std::move(path)), entry_bytes_(entry_bytes) {}
  Result<> extend(std::uint64_t needed_bytes);

  SegmentContext context_;
  std::string path_;
  std::size_t entry_bytes_;
  std::uint64_t capacity_ = 0;         // entries
  std::uint64_t allocated_bytes_ = 0;  // of the file; writer only
  std::atomic<std::uint64_t> count_{0};
  os::Mapping map_;
};

}  // namespace seriatim::segment
