// The work of the background threads: the table of periodic jobs, one entry each.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/saturate.hpp"
#include "directory/background.hpp"
#include "directory/consumption.hpp"
#include "directory/engine_impl.hpp"
#include "directory/engine_metrics.hpp"
#include "directory/upkeep/counters_file.hpp"
#include "partition/compaction/compaction.hpp"

namespace seriatim::directory {
namespace {

// How late a member of a group may be found overdue. Arbitrary.
constexpr std::int64_t members_every_ns = base::ns_of_ms(100);
// Every look of the timers.
constexpr std::int64_t each_look = 0;
// How long another process may see older committed offsets. Arbitrary: a transaction of the catalog per
// second.
constexpr std::int64_t commits_every_ns = base::ns_of_ms(1'000);
// Kafka waits 30 s before the first retention pass, so that a start is not slowed down.
constexpr std::int64_t first_maintenance_ns = base::ns_of_ms(30'000);

constexpr std::string_view journal_files = "journal files";

// 0 in the options: only when an Admin call asks.
std::int64_t maintenance_period_ns(const EngineOptions& options) {
  const std::int64_t period_ns = base::ns_of_ms(options.maintenance_interval.count());
  return period_ns == 0 ? PeriodicJob::when_wanted : period_ns;
}

void fail_with(JobRun& run, std::string_view doing, const Error& error) {
  run.fail(std::string(doing) + ": " + error.message());
}

}  // namespace

std::vector<PeriodicJob> Background::jobs() {
  std::vector<PeriodicJob> all;
  for (auto& table : {prompt_table(), upkeep_table(), worker_table()})
    all.insert(all.end(), table.begin(), table.end());
  const auto files =
      std::find_if(all.begin(), all.end(), [](const PeriodicJob& job) { return job.name == journal_files; });
  journal_files_job_ = static_cast<std::size_t>(files - all.begin());
  return all;
}

std::vector<PeriodicJob> Background::prompt_table() {
  const auto end_transactions = [this](JobRun& run) {
    if (auto advanced = engine_.coordinator->advance(); !advanced)
      fail_with(run, "ending a transaction", advanced.error());
  };
  return {{.name = "time-outs",
           .lane = JobLane::prompt,
           .run = end_transactions,
           .is_wanted = [this](std::int64_t) { return engine_.coordinator->needs_advancing(); }},
          {.name = "flush.ms",
           .lane = JobLane::prompt,
           .run = [this](JobRun& run) { flush_overdue(run); },
           .is_wanted = [this](std::int64_t now_ns) { return is_flush_wanted(now_ns); }},
          {.name = "group members",
           .lane = JobLane::prompt,
           .period_ns = members_every_ns,
           .run = [this](JobRun&) { engine_.groups.expire(); }},
          // Here, since another process is to see a checkpoint that takes long.
          {.name = "counters", .lane = JobLane::prompt, .period_ns = each_look, .run = [this](JobRun&) {
             publish_counters();
           }}};
}

std::vector<PeriodicJob> Background::upkeep_table() {
  const std::int64_t checkpoint_ns = base::ns_of_ms(engine_.options.checkpoint_interval.count());
  const std::int64_t maintenance_ns = maintenance_period_ns(engine_.options);
  const auto show_commits = [this](JobRun& run) {
    if (auto stored = engine_.checkpointer->store_commits(); !stored)
      fail_with(run, "committed offsets and state", stored.error());
  };
  const auto is_checkpoint_due = [this](std::int64_t) {
    const bool is_journal_long = engine_.journal->bytes_in_use() > engine_.options.journal_max_bytes / 2;
    return is_journal_long || is_checkpoint_wanted_.load(std::memory_order_relaxed);
  };
  return {{.name = "reserve", .period_ns = each_look, .run = [this](JobRun& run) { make_reserve(run); }},
          {.name = journal_files,
           .period_ns = each_look,
           .run = [this](JobRun& run) { prepare_journal_file(run); }},
          {.name = "commits", .period_ns = commits_every_ns, .run = show_commits},
          {.name = "checkpoint",
           .period_ns = checkpoint_ns,
           .first_after_ns = checkpoint_ns,
           .run = [this](JobRun& run) { make_checkpoint(run); },
           .is_wanted = is_checkpoint_due},
          {.name = "expiry",
           .period_ns = maintenance_ns,
           .first_after_ns = std::min(first_maintenance_ns, maintenance_ns),
           .run = [this](JobRun& run) { expire(run); }}};
}

std::vector<PeriodicJob> Background::worker_table() {
  const std::int64_t maintenance_ns = maintenance_period_ns(engine_.options);
  const std::int64_t first_ns = std::min(first_maintenance_ns, maintenance_ns);
  const auto is_paused = [this] { return pace_.is_paused(); };
  std::vector<PeriodicJob> table{
      {.name = "retention",
       .lane = JobLane::workers,
       .period_ns = maintenance_ns,
       .first_after_ns = first_ns,
       .run = [this](JobRun& run) { apply_retention(run); },
       .is_wanted = [this](std::int64_t) { return is_retention_owed_.load(std::memory_order_relaxed); },
       .is_held_back = is_paused},
      {.name = "compaction",
       .lane = JobLane::workers,
       .period_ns = maintenance_ns,
       .first_after_ns = first_ns,
       .run = [this](JobRun& run) { compact(run); },
       .is_wanted = [this](std::int64_t) { return is_compaction_owed_.load(std::memory_order_relaxed); },
       .is_held_back = is_paused}};
  if (engine_.options.offsets_retention.count() < 0) return table;
  const std::int64_t expiry_ns = base::ns_of_ms(engine_.options.offsets_retention_check_interval.count());
  table.push_back(
      {.name = "offset expiry",
       .lane = JobLane::workers,
       .period_ns = expiry_ns,
       .first_after_ns = expiry_ns,
       .run = [this](JobRun& run) { expire_offsets(run); },
       .is_wanted = [this](std::int64_t) { return is_offset_expiry_owed_.load(std::memory_order_relaxed); }});
  return table;
}

// The timers look, the prompt thread syncs.
bool Background::is_flush_wanted(std::int64_t now_ns) {
  std::vector<partition::PartitionPtr> overdue;
  for (const auto& partition : engine_.topics.open_partitions()) {
    if (partition->is_flush_overdue(now_ns)) overdue.push_back(partition);
  }
  if (overdue.empty()) return false;
  const base::MutexLock lock(overdue_mutex_);
  overdue_ = std::move(overdue);
  return true;
}

void Background::flush_overdue(JobRun& run) {
  std::vector<partition::PartitionPtr> overdue;
  {
    const base::MutexLock lock(overdue_mutex_);
    overdue.swap(overdue_);
  }
  for (const auto& partition : overdue) {
    if (auto synced = partition->sync(); !synced) fail_with(run, "flush.ms", synced.error());
  }
}

void Background::publish_counters() {
  if (engine_.counters_file)
    engine_.counters_file->update(metrics_of(engine_), reports(), engine_.clock.wall_ms());
}

// A full disk is no failure of this job: the caller that needs the space is told. Any other error would meet
// nobody else.
void Background::make_reserve(JobRun& run) {
  auto made = engine_.reserve.make();
  if (made) return;
  const std::string failure = "reserve: " + made.error().message();
  if (made.error().code() == Errc::storage_full) {
    run.fail_silently(failure);
  } else {
    run.fail(failure);
  }
}

// A file for the commits to come, once there are commits at all.
void Background::prepare_journal_file(JobRun& run) {
  if (engine_.journal->stats().files == 0) return;
  if (auto prepared = engine_.journal->prepare_next(); !prepared)
    fail_with(run, "preparing a journal file", prepared.error());
}

void Background::make_checkpoint(JobRun& run) {
  is_checkpoint_wanted_.store(false, std::memory_order_relaxed);
  if (auto stored = engine_.checkpointer->checkpoint(); !stored) fail_with(run, "checkpoint", stored.error());
}

void Background::expire(JobRun& run) {
  if (auto expired = engine_.expire_transactional_ids(); !expired)
    fail_with(run, "expiring transactional ids", expired.error());
  const std::int64_t forgotten_ms =
      base::saturating_sub(engine_.clock.wall_ms(), engine_.options.producer_id_expiration.count());
  for (const auto& partition : engine_.topics.open_partitions()) {
    if (is_stopping()) return;
    partition->expire_producers(forgotten_ms);
  }
}

// A step a run: others of the lane come in between, and a close need not wait for the pass.
void Background::expire_offsets(JobRun& run) {
  if (auto stepped = offset_expiry_.step(); !stepped)
    fail_with(run, "expiring committed offsets", stepped.error());
  is_offset_expiry_owed_.store(!offset_expiry_.is_done(), std::memory_order_relaxed);
}

// Neither pass waits where an Admin call, or the other pass, is at work: the rest would wait with it. The
// next pass finds what was left out.
void Background::apply_retention(JobRun& run) {
  const WorkPace::Pass pass(pace_);
  is_retention_owed_.store(false, std::memory_order_relaxed);
  for (const auto& partition : engine_.topics.open_partitions()) {
    if (!pass.is_allowed() || !pace_.may_go_on()) {
      is_retention_owed_.store(true, std::memory_order_relaxed);
      return;
    }
    auto deleted = apply_retention_to(engine_, *partition, partition::IfBusy::skip);
    // Deleted since the list was taken.
    if (!deleted && partition->is_deleted()) continue;
    if (!deleted) fail_with(run, "retention of " + partition->directory(), deleted.error());
  }
}

void Background::compact(JobRun& run) {
  const WorkPace::Pass pass(pace_);
  is_compaction_owed_.store(false, std::memory_order_relaxed);
  const partition::CompactionOptions options{
      .if_busy = partition::IfBusy::skip,
      .should_stop = [this] { return !pace_.may_go_on(); },
      .spend = [this](std::uint64_t bytes) { return pace_.spend(bytes); }};
  for (const auto& partition : engine_.topics.open_partitions()) {
    const TopicConfig config = partition->config();
    if (config.cleanup_policy == CleanupPolicy::delete_) continue;
    // Compaction takes what lies below the recovery points in the catalog: those of the last checkpoint.
    if (partition::dirty_ratio(*partition) <= config.min_cleanable_dirty_ratio) continue;
    if (pass.is_allowed()) {
      // A partition that cannot be compacted is set aside; others go on.
      if (auto compacted = partition::compact(*partition, options); !compacted)
        fail_with(run, "compaction of " + partition->directory(), compacted.error());
    }
    if (!pass.is_allowed() || !pace_.may_go_on()) {
      is_compaction_owed_.store(true, std::memory_order_relaxed);
      return;
    }
    // How far compaction came is to be stored soon.
    is_checkpoint_wanted_.store(true, std::memory_order_relaxed);
  }
}

}  // namespace seriatim::directory
