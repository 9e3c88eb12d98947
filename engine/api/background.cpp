#include "api/background.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "api/counters_file.hpp"
#include "api/engine_impl.hpp"
#include "partition/compaction.hpp"

namespace seriatim::api {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
// How often the thread looks for due work: the resolution of flush.ms and of the intervals. Arbitrary; ten
// looks a second cost nothing.
constexpr std::chrono::milliseconds tick{100};
// How long another process may see older committed offsets. Arbitrary: a transaction of the catalog per
// second.
constexpr std::int64_t offsets_interval_ns = 1'000 * ns_per_ms;
// After a failure around the journal: what is wrong (a full disk, mostly) is told once a second, not ten
// times.
constexpr std::int64_t retry_ns = 1'000 * ns_per_ms;
// Kafka waits 30 s before the first retention pass, so that a start is not slowed down.
constexpr std::int64_t first_maintenance_ns = 30'000 * ns_per_ms;

}  // namespace

Background::Background(detail::EngineImpl& engine)
    : engine_(engine),
      next_checkpoint_ns_(engine.clock.monotonic_ns() +
                          engine.options.checkpoint_interval.count() * ns_per_ms),
      next_maintenance_ns_(
          engine.options.maintenance_interval.count() == 0
              ? std::numeric_limits<std::int64_t>::max()
              : engine.clock.monotonic_ns() +
                    std::min(first_maintenance_ns, engine.options.maintenance_interval.count() * ns_per_ms)),
      thread_([this] { loop(); }) {}

Background::~Background() { stop(); }

void Background::stop() {
  stopping_.store(true, std::memory_order_release);
  engine_.prefault_queue->stop();
  if (thread_.joinable()) thread_.join();
}

void Background::loop() {
  auto next_look = std::chrono::steady_clock::now() + tick;
  while (!is_stopping()) {
    if (const auto segment = engine_.prefault_queue->take_until(next_look)) segment->prefault();
    if (engine_.prefault_queue->take_journal_request()) prepare_journal_file(engine_.clock.monotonic_ns());
    // However much there is to populate, the rest has its turn.
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look || is_stopping()) continue;
    run_due(engine_.clock.monotonic_ns());
    next_look = std::chrono::steady_clock::now() + tick;
  }
}

void Background::run_due(std::int64_t now_ns) {
  flush_overdue(now_ns);
  if (engine_.counters_file) engine_.counters_file->update(engine_.metrics(), engine_.clock.wall_ms());
  if (now_ns >= next_reserve_ns_) {
    // Full is full: whoever needs the space is told. What else is wrong nobody else would meet.
    auto made = engine_.reserve.make();
    if (!made && made.error().code() != Errc::storage_full)
      engine_.report(LogLevel::warn, "reserve: " + made.error().message());
    if (!made) next_reserve_ns_ = now_ns + retry_ns;
  }
  if (now_ns >= next_transactions_ns_) {
    if (auto tended = engine_.coordinator->tend(); !tended) {
      engine_.report(LogLevel::error, "ending a transaction: " + tended.error().message());
      next_transactions_ns_ = now_ns + retry_ns;
    }
  }
  if (now_ns >= next_journal_ns_) tend_journal(now_ns);
  if (now_ns >= next_checkpoint_ns_ || (now_ns >= next_journal_ns_ && engine_.is_journal_long())) {
    if (auto stored = engine_.checkpoint(); !stored) {
      engine_.report(LogLevel::error, "checkpoint: " + stored.error().message());
      next_journal_ns_ = now_ns + retry_ns;
    }
    next_checkpoint_ns_ = now_ns + engine_.options.checkpoint_interval.count() * ns_per_ms;
  }
  if (now_ns >= next_maintenance_ns_) {
    maintain();
    next_maintenance_ns_ = now_ns + engine_.options.maintenance_interval.count() * ns_per_ms;
  }
}

// A file for the commits to come. Asked for by whoever takes one: a busy journal fills several between two
// looks, and what is not ready is made in a commit.
void Background::prepare_journal_file(std::int64_t now_ns) {
  if (now_ns < next_journal_ns_) return;
  auto prepared = engine_.journal->prepare_next();
  if (prepared) return;
  engine_.report(LogLevel::warn, "preparing a journal file: " + prepared.error().message());
  next_journal_ns_ = now_ns + retry_ns;
}

// The same for a journal that was opened with files, and what was committed for other processes to see.
void Background::tend_journal(std::int64_t now_ns) {
  if (engine_.journal->stats().files > 0) prepare_journal_file(now_ns);
  if (now_ns < next_offsets_ns_) return;
  if (auto stored = engine_.store_commits(); !stored)
    engine_.report(LogLevel::error, "committed offsets and state: " + stored.error().message());
  next_offsets_ns_ = now_ns + offsets_interval_ns;
}

void Background::flush_overdue(std::int64_t now_ns) {
  for (const auto& partition : engine_.open_partitions()) {
    if (!partition->is_flush_overdue(now_ns)) continue;
    if (auto synced = partition->sync(); !synced)
      engine_.report(LogLevel::error, "flush.ms: " + synced.error().message());
  }
}

// Does not wait where an Admin call is at the same work: flush.ms and checkpoints of all partitions would
// wait with it.
void Background::maintain() {
  if (auto expired = engine_.expire_transactional_ids(); !expired)
    engine_.report(LogLevel::error, "expiring transactional ids: " + expired.error().message());
  const std::int64_t forgotten_ms = engine_.clock.wall_ms() - engine_.options.producer_id_expiration.count();
  for (const auto& partition : engine_.open_partitions()) {
    if (is_stopping()) return;
    partition->expire_producers(forgotten_ms);
    auto deleted =
        engine_.reserve.spend_on([&] { return partition->apply_retention(partition::IfBusy::skip); });
    if (!deleted) {
      engine_.report(LogLevel::error,
                     "retention of " + partition->directory() + ": " + deleted.error().message());
    }
    const TopicConfig config = partition->config();
    if (config.cleanup_policy == CleanupPolicy::delete_) continue;
    // Compaction takes what lies below the recovery points in the catalog: those of the last checkpoint.
    if (partition::dirty_ratio(*partition) <= config.min_cleanable_dirty_ratio) continue;
    auto compacted = partition::compact(
        *partition, {.if_busy = partition::IfBusy::skip, .should_stop = [this] { return is_stopping(); }});
    // A partition that cannot be compacted is set aside; others go on.
    if (!compacted) {
      engine_.report(LogLevel::error,
                     "compaction of " + partition->directory() + ": " + compacted.error().message());
    }
    next_checkpoint_ns_ = 0;  // How far compaction came is to be stored soon.
  }
}

}  // namespace seriatim::api
