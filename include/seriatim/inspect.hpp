/// @file
/// Looking at a data directory without being its writer: what holds it, and whether every byte is right.
#pragma once

#include <seriatim/language.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/export.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

namespace seriatim {
inline namespace v0 {

/// The process that has a directory open for writing.
struct WriterInfo {
  std::int32_t pid = 0;
  std::string program{};
  std::string since{};  ///< RFC 3339, UTC.
};

/// The process that writes to `dir`; nullopt if none does.
/// Errors: not_found, not_a_data_directory, permission_denied, io_error.
/// Threads: any. Never takes or disturbs the lock.
SERIATIM_API Result<std::optional<WriterInfo>> writer_of(const std::filesystem::path& dir);

/// The journal of a data directory and its last checkpoint.
struct JournalStatus {
  /// A writer is at work: the figures are those it published, at most about 100 ms old. Otherwise they are
  /// what the files hold.
  bool is_live = false;
  std::uint64_t files = 0;         ///< That hold frames.
  std::uint64_t bytes_in_use = 0;  ///< Of frames that no checkpoint covers, by whole files.
  std::uint64_t spare_files = 0;
  std::uint64_t durable_lsn = 0;  ///< Frames up to this number are on stable storage, or covered.
  std::uint64_t covered_lsn = 0;  ///< The last checkpoint moved frames up to this number to their homes.
  std::optional<Timestamp> checkpoint_time{};  ///< nullopt: not known.
  /// Age of the oldest commit under way; nullopt: none, or nobody writes.
  std::optional<std::chrono::microseconds> oldest_wait{};
  std::string damage{};  ///< Why the next open for writing will refuse the journal; empty: it will not.
};

/// Looks at the journal without disturbing its writer. Reads its files if there is none.
/// Errors: not_found, not_a_data_directory, unsupported_version, corrupt_metadata (FORMAT, the catalog),
/// permission_denied, io_error · invalid_state: this process has the directory open; use Engine::metrics.
/// Threads: any.
SERIATIM_API Result<JournalStatus> journal_status(const std::filesystem::path& dir);

/// A piece of background work that comes again and again.
struct BackgroundJob {
  std::string name{};
  std::chrono::milliseconds period{0};  ///< 0: it comes when there is something to do.
  std::uint64_t runs = 0;               ///< That have ended, since the writer opened the directory.
  std::uint64_t failures = 0;           ///< Of those.
  bool is_running = false;
  std::optional<Timestamp> last_begin{};  ///< nullopt: it has not run yet.
  std::optional<Timestamp> last_end{};
  /// The error of the run that ended last, its beginning if it is long: the log sink had all of it. Empty:
  /// nothing.
  std::string failure{};
};

/// The background work of the writer, at most about 100 ms old, but for jobs that come again, find nothing to
/// do and change no figure of `Metrics`: an idle writer publishes nothing. Of one that has closed or died, as
/// it was then. Empty: there was none yet, or one of an older version.
/// Errors: not_found, not_a_data_directory, unsupported_version, corrupt_metadata (FORMAT, `counters`),
/// permission_denied, io_error.
/// Threads: any.
SERIATIM_API Result<std::vector<BackgroundJob>> background_jobs(const std::filesystem::path& dir);

enum class Severity : std::uint8_t {
  note,  ///< Expected after a crash: what the next open for writing heals, cuts (never what was acknowledged
         ///< as durable) or aborts, with the offsets and how many records. Or whole batches in a form of
         ///< their codec that is not read here, with their offsets.
  repairable,  ///< Derived data is wrong or missing (an index, a snapshot): opening for writing, or `repair`,
               ///< makes it again.
  damage,      ///< Records or metadata are lost or unreadable.
};

/// One thing `verify` found.
struct Finding {
  Severity severity = Severity::note;
  std::string path{};          ///< File, relative to the directory.
  std::uint64_t position = 0;  ///< Byte in the file.
  Offset first_offset = -1;    ///< Offsets concerned, -1 if unknown.
  Offset last_offset = -1;
  std::string what{};
};

struct VerifyReport {
  std::vector<Finding> findings{};
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  /// The worst severity, nullopt if nothing was found.
  std::optional<Severity> worst() const noexcept {
    std::optional<Severity> result;
    for (const Finding& finding : findings) {
      if (!result || finding.severity > *result) result = finding.severity;
    }
    return result;
  }
};

struct VerifyOptions {
  std::vector<std::string> topics{};  ///< Empty: all.
  /// Decode every record too (and decompress), not only check every batch's CRC.
  bool deep = true;
  /// Called now and then with the bytes read so far and in all; returning false stops (the report says what
  /// was seen till then).
  std::function<bool(std::uint64_t done_bytes, std::uint64_t total_bytes)> progress{};
};

/// Reads every file of a data directory and checks it: FORMAT, catalog, the journal (if nobody writes), every
/// batch's structure and CRC, every record, offsets without overlap, every index entry against the log. After
/// a crash the files are looked at as the next open for writing will leave them, with what the journal brings
/// home. Changes nothing. Works beside a live writer (the active segments are checked as far as they were
/// written when looked at).
///
/// Errors: not_found, not_a_data_directory, unsupported_version, permission_denied: nothing could be
/// verified. Damage is in the report, not an error. invalid_state: this process has the directory open; use
/// Admin::verify.
/// Threads: any.
SERIATIM_API Result<VerifyReport> verify(const std::filesystem::path& dir, const VerifyOptions& options = {});

}  // namespace v0
}  // namespace seriatim
