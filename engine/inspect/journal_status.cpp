// `journal_status`: the journal of a data directory seen from outside.
#include <seriatim/inspect.hpp>

#include <seriatim/exception.hpp>

#include "catalog/catalog.hpp"
#include "directory/files/catalog_access.hpp"
#include "directory/files/format_file.hpp"
#include "directory/recovery/journal_replay.hpp"
#include "directory/upkeep/counters_file.hpp"
#include "os/absolute_path.hpp"
#include "os/file/posix_vfs.hpp"
#include "os/lock/dir_lock.hpp"
#include "os/path.hpp"

namespace seriatim {
inline namespace v0 {
namespace {

Result<directory::FormatFile> format_of(os::Vfs& vfs, const std::string& dir) {
  auto exists = vfs.exists(dir);
  if (!exists) return exists.error();
  if (!*exists) return Error(Errc::not_found, dir + " does not exist; correct the path");
  auto format = directory::read_format_file(vfs, dir);
  if (format || format.error().code() != Errc::not_found) return format;
  return Error(Errc::not_a_data_directory,
               dir + " has no FORMAT file: it is not a seriatim data directory; correct the path");
}

void take_published(const Metrics& metrics, JournalStatus& status) {
  status.files = metrics.journal_files;
  status.bytes_in_use = metrics.journal_bytes;
  status.spare_files = metrics.journal_spare_files;
  status.durable_lsn = metrics.journal_durable_lsn;
  if (metrics.oldest_wait_us != 0) status.oldest_wait = std::chrono::microseconds(metrics.oldest_wait_us);
}

Result<> read_files(os::Vfs& vfs, const std::string& dir, const catalog::Id& directory_id,
                    JournalStatus& status) {
  directory::JournalReplay nobody{{}};
  const auto contents =
      journal::read_journal({.directory = os::join_path(dir, std::string(directory::journal_directory_name)),
                             .directory_id = directory_id,
                             .covered_lsn = status.covered_lsn,
                             .is_writer = false,
                             .vfs = vfs},
                            nobody);
  if (!contents && contents.error().code() == Errc::corrupt_metadata) {
    status.damage = contents.error().message();
    return {};
  }
  if (!contents) return contents.error();
  for (const auto& file : contents->files) {
    ++status.files;
    if (file.last_lsn > status.covered_lsn) status.bytes_in_use += file.used_bytes;
  }
  status.spare_files = contents->spares.size();
  status.durable_lsn = contents->next_lsn - 1;
  return {};
}

}  // namespace

Result<JournalStatus> journal_status(const std::filesystem::path& dir) try {
  auto& vfs = os::posix_vfs();
  const auto absolute = os::absolute_path(dir);
  if (!absolute) return absolute.error();
  const std::string& path = *absolute;
  const auto format = format_of(vfs, path);
  if (!format) return format.error();
  const auto catalog = catalog::Catalog::open(
      os::join_path(path, "catalog"), directory::catalog_options(vfs, path, catalog::Access::read_only));
  if (!catalog) return catalog.error();
  const auto record = catalog->engine();
  if (!record) return record.error();
  JournalStatus status{.covered_lsn = record->covered_lsn};
  const auto writer = os::read_lock_info(vfs, path);
  const bool is_written = writer && *writer && (*writer)->is_held;
  const auto published = directory::read_counters(vfs, path);
  const bool is_told = published && *published;
  if (is_told && (*published)->metrics.checkpoint_lsn == record->covered_lsn &&
      (*published)->metrics.checkpoint_time_ms != 0) {
    status.checkpoint_time = Timestamp(std::chrono::milliseconds((*published)->metrics.checkpoint_time_ms));
  }
  if (is_written && is_told && (*published)->pid == (*writer)->pid) {
    status.is_live = true;
    take_published((*published)->metrics, status);
    return status;
  }
  // A writer that has published nothing yet changes the files under whoever reads them.
  if (is_written) return status;
  if (auto read = read_files(vfs, path, format->directory_id, status); !read) return read.error();
  return status;
} catch (...) {
  return current_error();
}

Result<std::vector<BackgroundJob>> background_jobs(const std::filesystem::path& dir) {
  auto& vfs = os::posix_vfs();
  if (const auto format = format_of(vfs, dir.string()); !format) return format.error();
  const auto published = directory::read_counters(vfs, dir.string());
  if (!published) return published.error();
  std::vector<BackgroundJob> jobs;
  if (!*published) return jobs;
  const auto time_of = [](std::int64_t ms) {
    return ms == 0 ? std::optional<Timestamp>() : Timestamp(std::chrono::milliseconds(ms));
  };
  for (const directory::JobReport& report : (*published)->jobs) {
    jobs.push_back({.name = report.name,
                    .period = std::chrono::milliseconds(report.period_ms),
                    .runs = report.runs,
                    .failures = report.failures,
                    .is_running = report.is_running,
                    .last_begin = time_of(report.begin_ms),
                    .last_end = time_of(report.end_ms),
                    .failure = report.failure});
  }
  return jobs;
}

}  // namespace v0
}  // namespace seriatim
