// Compaction by key: keeps the newest record of every key (kafka-log 2.12). A job over sealed segments of one
// partition; appends and reads go on meanwhile.
#pragma once

#include <cstdint>
#include <functional>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "partition/partition.hpp"

namespace seriatim::partition {

struct CompactionOptions {
  /// Compact whatever the dirty ratio says.
  bool force = false;
  /// Whether to wait while retention or another compaction of the partition runs.
  IfBusy if_busy = IfBusy::wait;
  /// Asked between batches; true ends the pass. Segments that it has put in place by then stay, and the next
  /// pass begins from the front again.
  std::function<bool()> should_stop{};
  /// Told how many bytes were read and written since the last call. May wait, for a moment; false: it is to
  /// be asked again, with 0, before the pass goes on. Empty: as fast as the disk is.
  std::function<bool(std::uint64_t bytes)> spend{};
  /// Most memory the key map may take; Kafka's log.cleaner.dedupe.buffer.size default. It takes what the
  /// records to be looked at can need, and what does not fit is left to the next pass.
  std::uint64_t key_map_bytes = 128ULL << 20;
};

struct CompactionResult {
  bool ran = false;  ///< False: nothing to do, or stopped, or busy and not waited for.
  std::uint64_t segments_before = 0;
  std::uint64_t segments_after = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
  std::uint64_t removed_records = 0;
  Offset compacted_to = 0;  ///< First offset that was not looked at.
};

/// Share of not yet compacted bytes in what could be compacted, 0 if nothing could be. Any thread.
double dirty_ratio(const Partition& partition);

/// Runs one pass over the sealed segments below the recovery point that the catalog has: store a checkpoint
/// first to let it see everything. A maintenance step: one at a time per partition; it ends early if the
/// partition is deleted.
/// Errors: closed · corrupt_record (the segments that hold it are left as they were) · storage_full,
/// io_error: what was not finished is removed · storage_failed, final: also if an exchange of files was begun
/// and failed, which only the next open completes.
Result<CompactionResult> compact(Partition& partition, const CompactionOptions& options);

}  // namespace seriatim::partition
