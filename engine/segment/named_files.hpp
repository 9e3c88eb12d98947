// The files of one segment, as they are reached by their names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "segment/files/segment_files.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::segment {

/// corrupt_record: a log that ends before what is known of it.
Error shorter_than_known(const std::string& path, std::uint64_t size, std::uint64_t end_position);

/// Any thread.
class NamedFiles {
 public:
  /// @param log_id  of the log that is meant, for who cannot keep another process from exchanging it: a log
  /// of the same name that is another file is not found then.
  NamedFiles(const SegmentContext& context, const std::string& directory, Offset base_offset,
             const std::optional<os::FileId>& log_id = std::nullopt);

  const SegmentContext& context() const noexcept { return context_; }
  Offset base_offset() const noexcept { return base_offset_; }
  const std::string& log_path() const noexcept { return log_path_; }
  const std::string& offset_index_path() const noexcept { return offset_index_path_; }
  const std::string& time_index_path() const noexcept { return time_index_path_; }
  std::string transaction_index_path() const;

  /// The log, open for reading, through the descriptor cache.
  /// Errors: not_found (gone, or not the one that is meant) · too_many_open_files, io_error.
  Result<std::shared_ptr<os::File>> log() const;
  /// Modification time of the log, -1 if it cannot be had. A system call.
  std::int64_t modified_ms() const noexcept;
  /// Maps log and indexes, which have their exact length.
  /// Errors: as `log` · corrupt_record (the log is shorter than `end_position`) · corrupt_metadata (an index
  /// is missing or out of order: recovery rebuilds it, not this call).
  Result<SegmentPin> map_sealed(std::uint64_t end_position) const;
  /// fdatasync of both indexes; of the log.
  /// Errors: storage_failed · as `log`.
  Result<> sync_indexes() const;
  Result<> sync_log() const;
  /// not_found: the segment that is meant is not there any more.
  Error deleted_error() const;

 private:
  Result<os::Mapping> map_log(std::uint64_t end_position) const;
  Result<> check_is_meant(os::File& log) const;
  Result<> check_unexchanged() const;
  Result<> sync_file(const std::string& path) const;

  SegmentContext context_;
  Offset base_offset_;
  std::optional<os::FileId> log_id_;
  std::string directory_;
  std::string log_path_;
  std::string offset_index_path_;
  std::string time_index_path_;
};

}  // namespace seriatim::segment
