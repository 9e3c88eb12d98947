#include "directory/engine_metrics.hpp"

#include <algorithm>
#include <cstdint>

#include "directory/background.hpp"
#include "directory/engine_impl.hpp"
#include "directory/open_partitions.hpp"

namespace seriatim::directory {
namespace {

void add_journal(const detail::EngineImpl& engine, Metrics& m) {
  const journal::JournalStats stats = engine.journal->stats();
  m.syncs += stats.syncs;
  m.journal_files = stats.files;
  m.journal_limit_waits = engine.journal_limit.waits();
  m.journal_bytes = stats.bytes_in_use;
  m.journal_spare_files = stats.spare_files;
  m.journal_staged_lsn = stats.staged_lsn;
  m.journal_durable_lsn = stats.durable_lsn;
  // The clock may stand still in a test; a commit under way is never younger than the smallest age.
  if (stats.oldest_staged_ns != 0) {
    const std::int64_t age_us = (engine.clock.monotonic_ns() - stats.oldest_staged_ns) / 1'000;
    m.oldest_wait_us = static_cast<std::uint64_t>(std::max<std::int64_t>(age_us, 1));
  }
  m.checkpoints = engine.checkpointer->checkpoints();
  m.checkpoint_lsn = engine.checkpointer->lsn();
  m.checkpoint_time_ms =
      static_cast<std::uint64_t>(std::max<std::int64_t>(engine.checkpointer->time_ms(), 0));
}

}  // namespace

Metrics metrics_of(const detail::EngineImpl& engine) {
  Metrics m;
  const auto& p = engine.partition_counters;
  m.appended_batches = p.appended_batches.value();
  m.appended_records = p.appended_records.value();
  m.appended_bytes = p.appended_bytes.value();
  const auto all = engine.topics.load();
  for (const auto& [name, topic] : *all) {
    ++m.topics;
    m.partitions += topic->partitions.size();
  }
  static_cast<void>(for_each_open(engine, [&](const auto& partition) {
                      m.appended_batches += partition.appended_batches();
                      m.appended_records += partition.appended_records();
                      m.appended_bytes += partition.appended_bytes();
                      m.pinned_deleted_bytes += partition.pinned_deleted_bytes();
                      ++m.open_segments;  // The active one; sealed ones are counted by the map cache.
                      return Result<>();
                    }).ok());
  m.open_segments += engine.maps.size();
  m.pinned_deleted_bytes += engine.topics.pinned_deleted_bytes();
  m.rolled_segments = p.rolled_segments.value();
  m.syncs = p.syncs.value();
  m.failed_syncs = p.failed_syncs.value();
  m.fetched_batches = p.fetched_batches.value();
  m.fetched_records = p.fetched_records.value();
  m.fetched_bytes = p.fetched_bytes.value();
  m.corrupt_batches = p.corrupt_batches.value();
  m.deleted_segments = p.deleted_segments.value();
  m.deleted_bytes = p.deleted_bytes.value();
  m.compactions = p.compactions.value();
  m.compacted_away_records = p.compacted_away_records.value();
  m.refused_appends = engine.counters.refused_appends.value();
  m.sent_bytes = engine.counters.sent_bytes.value();
  m.offset_commits = engine.counters.offset_commits.value();
  m.background_errors = engine.counters.background_errors.value();
  // Added is counted before removed is: read in the other order, the difference is never negative.
  const std::uint64_t removed = engine.counters.buffered_bytes_removed.value();
  m.buffered_bytes = engine.counters.buffered_bytes_added.value() - removed;
  if (engine.coordinator) {
    const transaction::TransactionCounts counts = engine.coordinator->counts();
    m.transactions_committed = counts.committed;
    m.transactions_aborted = counts.aborted;
    m.transactions_timed_out = counts.timed_out;
    m.transactions_open = counts.open;
  }
  if (engine.background) m.maintenance_paused = engine.background->worker_pace().is_paused() ? 1 : 0;
  if (engine.journal) add_journal(engine, m);
  return m;
}

}  // namespace seriatim::directory
