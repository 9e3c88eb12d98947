// DIR/log/MOMENT: the moment of the catalog that the logs have seen. Every checkpoint gives the catalog a
// moment, one higher than the one before, and tells the logs of it once the catalog has it on stable storage:
// logs that have seen a later moment than the catalog beside them belong to a later catalog.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <seriatim/result.hpp>

#include "catalog/records/catalog_records.hpp"
#include "os/vfs.hpp"

namespace seriatim::directory {

inline constexpr const char* log_moment_file_name = "MOMENT";

/// @param log_directory  DIR/log.
/// @return 0: the logs tell of none. There is no file, or it is of another directory or a later version, or
/// not as it was written: a power cut may have left any part of it.
/// Errors: as `Vfs::open` and `File::read_at`, but not not_found.
Result<std::uint64_t> read_log_moment(os::Vfs& vfs, const std::string& log_directory,
                                      const catalog::Id& directory_id);

/// To be called when the catalog has this moment on stable storage, and not before.
/// Errors: as `Vfs::open` and `File::write_at`; the file then tells of an earlier moment, or of none.
/// Durability: none of its own. A power cut leaves an earlier moment, or a file that tells of none.
Result<> write_log_moment(os::Vfs& vfs, const std::string& log_directory, const catalog::Id& directory_id,
                          std::uint64_t moment);

/// Brings what was written, and the file's name, to stable storage.
/// Errors: as `Vfs::open` and `File::sync_data`.
Result<> sync_log_moment(os::Vfs& vfs, const std::string& log_directory);

/// The moment that catalog and logs are of, in the run of one writer: higher with every checkpoint.
/// Threads: one at a time.
class LogMoments {
 public:
  LogMoments(os::Vfs& vfs, std::string log_directory) : vfs_(vfs), log_directory_(std::move(log_directory)) {}
  /// @param found  the highest that the catalog or the logs tell of.
  void begin(const catalog::Id& directory_id, std::uint64_t found) noexcept {
    directory_id_ = directory_id;
    moment_ = found;
  }
  /// Of the checkpoint that is about to be stored.
  std::uint64_t next() noexcept { return ++moment_; }
  /// Tells the logs of it, behind the catalog. A crash may take that away.
  /// Errors: as write_log_moment.
  Result<> tell_logs() { return write_log_moment(vfs_, log_directory_, directory_id_, moment_); }
  /// Nor does a power cut, from here on.
  /// Errors: as sync_log_moment.
  Result<> make_durable() { return sync_log_moment(vfs_, log_directory_); }

 private:
  os::Vfs& vfs_;
  const std::string log_directory_;
  catalog::Id directory_id_{};
  std::uint64_t moment_ = 0;
};

}  // namespace seriatim::directory
