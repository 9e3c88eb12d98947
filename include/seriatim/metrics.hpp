/// @file
/// Counters and gauges of an engine, read by copy.
#pragma once

#include <seriatim/language.hpp>

#include <cstdint>

namespace seriatim {
inline namespace v0 {

/// Totals since the engine was opened, and gauges as of the call. Plain data.
///
/// The same numbers are published in the data directory's `counters` file, which any process may map. There
/// each has an id that never changes (docs/data_directory.md has the bytes and the ids); the order of the
/// fields here means nothing.
struct Metrics {
  // Appends.
  std::uint64_t appended_batches = 0;
  std::uint64_t appended_records = 0;
  std::uint64_t appended_bytes = 0;   ///< As stored: headers included, after compression.
  std::uint64_t refused_appends = 0;  ///< Appends that returned an error.
  std::uint64_t rolled_segments = 0;
  std::uint64_t syncs = 0;  ///< fdatasync calls on segments and the journal.
  std::uint64_t failed_syncs = 0;
  // Reads.
  std::uint64_t fetched_batches = 0;
  std::uint64_t fetched_records = 0;
  std::uint64_t fetched_bytes = 0;
  std::uint64_t sent_bytes = 0;       ///< Through `LogReader::send_to`.
  std::uint64_t corrupt_batches = 0;  ///< Batches that failed a check on reading.
  // Consumer positions.
  std::uint64_t offset_commits = 0;
  // Background work.
  std::uint64_t deleted_segments = 0;
  std::uint64_t deleted_bytes = 0;
  std::uint64_t compactions = 0;
  std::uint64_t compacted_away_records = 0;
  std::uint64_t background_errors = 0;  ///< Failures of background work; the log sink has their text.
  // Gauges.
  std::uint64_t topics = 0;
  std::uint64_t partitions = 0;
  std::uint64_t open_segments = 0;         ///< Segments that are mapped.
  std::uint64_t pinned_deleted_bytes = 0;  ///< Deleted segments, whole topics too, that readers still hold.
  std::uint64_t buffered_bytes = 0;        ///< Records accepted by producers, not yet in a segment.
  // The journal: gauges, but for the count of checkpoints.
  std::uint64_t journal_files = 0;        ///< That hold frames.
  std::uint64_t journal_bytes = 0;        ///< Of frames that no checkpoint covers, by whole files.
  std::uint64_t journal_spare_files = 0;  ///< Written before and ready for later use.
  std::uint64_t journal_staged_lsn = 0;   ///< Number of the newest frame.
  std::uint64_t journal_durable_lsn = 0;  ///< Frames up to this number are on stable storage, or covered.
  std::uint64_t oldest_wait_us = 0;       ///< Age of the oldest commit under way, microseconds; 0: none.
  std::uint64_t checkpoints = 0;          ///< Since the engine was opened.
  std::uint64_t checkpoint_lsn = 0;       ///< Frames up to this number are in the catalog and the segments.
  std::uint64_t checkpoint_time_ms = 0;   ///< Wall clock of the last checkpoint, ms; 0: not known.
  // Transactions; one that has written nothing counts as well.
  std::uint64_t transactions_committed = 0;
  std::uint64_t transactions_aborted = 0;    ///< By whatever, a time-out too.
  std::uint64_t transactions_timed_out = 0;  ///< Of those.
  std::uint64_t transactions_open = 0;       ///< Gauge.
  // Limits.
  std::uint64_t maintenance_paused = 0;  ///< Gauge: 1 after Admin::pause_maintenance, else 0.
  std::uint64_t journal_limit_waits =
      0;  ///< Commits that waited because of EngineOptions::journal_max_bytes.
};

}  // namespace v0
}  // namespace seriatim
