// The parts that partitions share: handed down by the engine, which outlives them.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/counter.hpp"
#include "journal/journal.hpp"
#include "os/vfs.hpp"
#include "partition/storage_health.hpp"
#include "segment/files/segment_files.hpp"
#include "segment/map_cache.hpp"

namespace seriatim::partition {

/// Counters that partitions feed; verbs of the log. See `Metrics` for their meaning.
struct PartitionCounters {
  base::Counter appended_batches;
  base::Counter appended_records;
  base::Counter appended_bytes;
  base::Counter rolled_segments;
  base::Counter syncs;
  base::Counter failed_syncs;
  base::Counter fetched_batches;
  base::Counter fetched_records;
  base::Counter fetched_bytes;
  base::Counter corrupt_batches;
  base::Counter deleted_segments;
  base::Counter deleted_bytes;
  base::Counter compactions;
  base::Counter compacted_away_records;
};

/// Gets findings that no call can return: a torn tail that was cut, damage that was contained.
using ReportSink = std::function<void(bool is_error, std::string_view line)>;

struct PartitionEnvironment {
  segment::SegmentContext files;
  segment::MapCache& maps;
  const base::Clock& clock;
  StorageHealth& health;
  PartitionCounters& counters;
  ReportSink report;
  /// Makes single appends durable, once the engine has one; without, segments are synced.
  journal::Journal* journal = nullptr;
  /// Brings the decisions up to this LSN to stable storage, with everything that they decide on: before
  /// anything behind a marker of one is called durable. Without, only the decisions themselves.
  std::function<Result<>(std::uint64_t decision_lsn)> make_decisions_durable{};
  /// Batches larger than this are not copied into the journal: their segment is synced.
  std::uint64_t journal_bypass_bytes = 256ULL << 10;
};

}  // namespace seriatim::partition
