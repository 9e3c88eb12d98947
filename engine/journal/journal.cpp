#include "journal/journal.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "base/boundary.hpp"
#include "os/thread/futex.hpp"

namespace seriatim::journal {
namespace {

// Room for what is usually staged while one sync runs; more allocates once.
constexpr std::size_t frames_expected = 256;

Result<void> check_options(const JournalOptions& options) {
  const std::uint32_t bytes = options.file_bytes;
  if (bytes >= journal_file_bytes_min && bytes <= journal_file_bytes_max &&
      bytes % journal_file_bytes_unit == 0)
    return {};
  return Error(Errc::invalid_argument, "journal.file.bytes is " + std::to_string(bytes) +
                                           "; give a multiple of 4096 between 65536 and 1073741824");
}

Error closed_error(const std::string& directory) {
  return {Errc::closed, directory + ": the journal was closed; open the engine again"};
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(JournalOptions options, const JournalContents& contents) {
  if (auto checked = check_options(options); !checked) return std::move(checked).error();
  std::unique_ptr<Journal> journal(new Journal(std::move(options), contents));
  if (auto tidied = journal->files_.tidy_up(contents); !tidied) return std::move(tidied).error();
  return journal;
}

Journal::Journal(JournalOptions options, const JournalContents& contents)
    : options_(std::move(options)),
      files_(options_, contents),
      written_lsn_(contents.next_lsn - 1),
      durable_lsn_(contents.next_lsn - 1),
      synced_lsn_(contents.stored_lsn),
      next_lsn_(contents.next_lsn),
      writer_(options_, files_) {
  staged_.reserve(frames_expected);
  pending_.reserve(frames_expected);
}

// An owner that needs to know whether everything became durable has called close().
Journal::~Journal() {
  static_cast<void>(base::answered([this] { return close(); }).ok());
}

Result<void> Journal::check_fits(std::uint64_t frame_bytes) const {
  if (frame_bytes <= writer_.frame_bytes_max()) return {};
  return Error(Errc::record_too_large, options_.directory + ": a frame of " + std::to_string(frame_bytes) +
                                           " bytes fits into no journal file; raise journal.file.bytes or "
                                           "lower journal.bypass.bytes");
}

Result<std::uint64_t> Journal::enqueue(StagedFrame&& frame, std::uint64_t bytes) {
  if (refusal_) return *refusal_;
  if (is_closing_) return closed_error(options_.directory);
  if (staged_.empty()) staged_since_ns_ = options_.clock.monotonic_ns();
  staged_.push(std::move(frame));
  staged_bytes_ += bytes;
  return next_lsn_++;
}

Result<std::uint64_t> Journal::stage(StagedFrame&& frame) {
  const std::uint64_t bytes = frame.frame_bytes();
  if (auto fits = check_fits(bytes); !fits) return fits.error();
  const base::MutexLock lock(mutex_);
  return enqueue(std::move(frame), bytes);
}

Result<std::uint64_t> Journal::stage_through(StagedFrame&& frame) {
  const std::uint64_t bytes = frame.frame_bytes();
  if (auto fits = check_fits(bytes); !fits) return fits.error();
  const base::MutexLock lock(mutex_);
  auto lsn = enqueue(std::move(frame), bytes);
  // A frame that could not be stored waits for the call that follows.
  if (lsn) static_cast<void>(store_alone());
  return lsn;
}

bool Journal::is_reached(std::uint64_t lsn, Level level) const noexcept {
  const auto& reached = level == Level::durable ? durable_lsn_ : written_lsn_;
  return reached.load(std::memory_order_acquire) >= lsn;
}

Result<void> Journal::wait_durable(std::uint64_t lsn) { return wait(lsn, Level::durable); }

Result<void> Journal::write_through(std::uint64_t lsn) { return wait(lsn, Level::written); }

void Journal::want_durable(std::uint64_t lsn) {
  if (wanted_lsn_.load(std::memory_order_relaxed) < lsn) wanted_lsn_.store(lsn, std::memory_order_relaxed);
}

// Returns at once if somebody was woken since `sequence` was read.
void Journal::sleep(Sleepers& sleepers, std::uint32_t sequence) noexcept {
  os::futex_wait(sleepers.sequence, sequence);
  sleepers.count.fetch_sub(1, std::memory_order_relaxed);
}

Result<void> Journal::wait(std::uint64_t lsn, Level level) {
  if (is_reached(lsn, level)) return {};
  mutex_.lock();
  SERIATIM_ASSERT(lsn < next_lsn_);
  if (level == Level::durable) want_durable(lsn);
  // Somebody may have stored it since the look above.
  if (level == Level::written && (is_reached(lsn, level) || store_alone())) {
    mutex_.unlock();
    return {};
  }
  const std::uint64_t failures_seen = failures_;
  bool may_write_beside = level == Level::written;
  for (;;) {
    if (refusal_ || failures_ != failures_seen) {
      const bool is_done = is_reached(lsn, level);
      const Error failure = refusal_ ? *refusal_ : *last_failure_;
      mutex_.unlock();
      return is_done ? Result<void>() : Result<void>(failure);
    }
    // Sleeps among those who all wake: others may write its frame, and who is woken alone is to take the
    // role.
    if (level == Level::written && role_is_taken_) {
      if (is_reached(lsn, level)) {
        mutex_.unlock();
        return {};
      }
      if (may_write_beside && is_syncing_ && !is_written_beside_) {
        may_write_beside = write_beside();
      } else {
        sleep_beside();
      }
      continue;
    }
    if (role_is_taken_) {
      Sleepers& sleepers = sleepers_[lsn <= group_end_lsn_ ? parity_ : parity_ ^ 1];
      const std::uint32_t sequence = sleepers.sequence.load(std::memory_order_relaxed);
      sleepers.count.fetch_add(1, std::memory_order_relaxed);
      mutex_.unlock();
      sleep(sleepers, sequence);
    } else {
      take_role();
      mutex_.unlock();
      lead();
    }
    // Without the mutex: a whole group wakes at once.
    if (is_reached(lsn, level)) return {};
    mutex_.lock();
  }
}

void Journal::refuse(Error why) {
  refusal_ = std::move(why);
  is_refusing_.store(true, std::memory_order_release);
}

Result<void> Journal::check() const {
  if (!is_refusing_.load(std::memory_order_acquire)) return {};
  const base::MutexLock lock(mutex_);
  if (refusal_) return *refusal_;
  return {};
}

void Journal::fail(const Error& cause) {
  const Error failure(Errc::storage_failed, cause.message(), cause.sys_errno(), Outcome::unknown);
  // The owner is told first: from the refusal on, callers see the failure.
  if (!check()) return;
  tell_owner(failure);
  {
    const base::MutexLock lock(mutex_);
    if (refusal_) return;
    note_failure(failure);
  }
  // Tells everybody, once no group is under way any more.
  acquire_role();
  lead();
}

Result<void> Journal::prepare_next() {
  if (auto checked = check(); !checked) return checked;
  auto prepared = files_.prepare_next();
  if (!prepared && prepared.error().code() == Errc::storage_failed) fail(prepared.error());
  return prepared;
}

std::uint64_t Journal::stored_lsn() const {
  {
    const base::MutexLock lock(mutex_);
    if (is_starved_) return 0;
  }
  return files_.stored_lsn(synced_lsn_.load(std::memory_order_acquire));
}

Result<void> Journal::recycle_below(std::uint64_t lsn, std::uint64_t kept_lsn) {
  if (auto checked = check(); !checked) return checked;
  drop_below(lsn);
  auto recycled = files_.recycle_below(lsn, kept_lsn);
  if (!recycled && recycled.error().code() == Errc::storage_failed) fail(recycled.error());
  return recycled;
}

Result<void> Journal::close() {
  std::uint64_t last_lsn = 0;
  {
    const base::MutexLock lock(mutex_);
    if (is_closing_) return {};
    is_closing_ = true;
    last_lsn = next_lsn_ - 1;
  }
  // Even if one of the steps fails, everybody who waits is told.
  auto drained = base::answered([&] { return wait(last_lsn, Level::durable); });
  const auto why = base::answered([this]() -> Result<void> { return closed_error(options_.directory); });
  {
    const base::MutexLock lock(mutex_);
    if (!refusal_) refuse(why.error());
  }
  // Ends what still waits and lets go of what could not be written.
  acquire_role();
  lead();
  return drained ? files_.remove_excess() : drained;
}

JournalStats Journal::stats() const {
  const JournalFiles::Counts counts = files_.counts();
  JournalStats stats;
  stats.files = counts.files;
  stats.bytes_in_use = counts.used_bytes;
  stats.spare_files = counts.spare_files;
  stats.groups = groups_.value();
  stats.frames = frames_.value();
  stats.syncs = writer_.syncs();
  for (const Sleepers& sleepers : sleepers_) stats.waiting += sleepers.count.load(std::memory_order_relaxed);
  const base::MutexLock lock(mutex_);
  const std::uint64_t pending = pending_frames_.load(std::memory_order_relaxed);
  stats.frames_staged = pending + staged_.size();
  stats.bytes_staged = pending_bytes_.load(std::memory_order_relaxed) + staged_bytes_;
  stats.staged_lsn = next_lsn_ - 1;
  stats.written_lsn = written_lsn_.load(std::memory_order_relaxed);
  stats.durable_lsn = durable_lsn_.load(std::memory_order_relaxed);
  if (role_is_taken_ && group_since_ns_ != 0) {
    stats.oldest_staged_ns = group_since_ns_;
  } else if (pending > 0) {
    stats.oldest_staged_ns = pending_since_ns_;
  } else if (!staged_.empty()) {
    stats.oldest_staged_ns = staged_since_ns_;
  }
  return stats;
}

}  // namespace seriatim::journal
