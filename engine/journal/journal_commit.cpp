// The commit role: taken by one thread at a time, which writes and syncs one group for everybody.
//
// Waiters sleep in one of two places: those whose frames are in the group under way, and those whose frames
// will be in the next. At the end of a group all of the first wake, and one of the second, which takes the
// role. Where that one may find nothing to wait for any more, and leave, all of the second wake: nobody else
// would wake them.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/boundary.hpp"
#include "journal/journal.hpp"
#include "os/thread/futex.hpp"

namespace seriatim::journal {
namespace {

// Held up for its copy is whoever stages meanwhile. Arbitrary: a few microseconds.
constexpr std::uint64_t alone_bytes_max = 16 * 1024;

}  // namespace

void Journal::take_staged() {
  SERIATIM_ASSERT(pending_.empty() && pending_done_ == 0);
  pending_.swap(staged_);
  pending_since_ns_ = staged_since_ns_;
  pending_frames_.store(pending_.size(), std::memory_order_relaxed);
  pending_bytes_.store(std::exchange(staged_bytes_, 0), std::memory_order_relaxed);
}

void Journal::take_role() {
  SERIATIM_ASSERT(!role_is_taken_);
  role_is_taken_ = true;
  parity_ ^= 1;
  failures_before_group_ = failures_;
  // The frames that an earlier group left come first.
  if (pending_.empty()) take_staged();
  group_since_ns_ = pending_.empty() ? 0 : pending_since_ns_;
  group_end_lsn_ = written_lsn_.load(std::memory_order_relaxed) + pending_.size() - pending_done_;
}

void Journal::acquire_role() {
  mutex_.lock();
  while (role_is_taken_) {
    Sleepers& sleepers = sleepers_[parity_ ^ 1];
    const std::uint32_t sequence = sleepers.sequence.load(std::memory_order_relaxed);
    sleepers.count.fetch_add(1, std::memory_order_relaxed);
    mutex_.unlock();
    sleep(sleepers, sequence);
    mutex_.lock();
  }
  take_role();
  mutex_.unlock();
}

void Journal::lead() {
  Result<void> outcome = check();
  if (outcome) {
    // Even if it fails, the role is given back and those who wait are told.
    outcome = base::answered([this] { return commit_group(); });
    // Before anybody is answered: a caller that is told of the failure may ask the owner about it.
    if (!outcome) tell_owner(outcome.error());
  }
  finish(outcome);
}

Result<void> Journal::commit_group() {
  if (pending_done_ < pending_.size()) {
    if (auto written = write_group(); !written) return written;
  }
  const std::uint64_t written_lsn = written_lsn_.load(std::memory_order_relaxed);
  const std::uint64_t wanted_lsn = wanted_lsn_.load(std::memory_order_relaxed);
  if (wanted_lsn <= durable_lsn_.load(std::memory_order_relaxed)) return {};
  if (auto synced = sync_group(); !synced) return synced;
  synced_lsn_.store(written_lsn, std::memory_order_release);
  durable_lsn_.store(written_lsn, std::memory_order_release);
  return {};
}

Result<void> Journal::sync_group() {
  {
    const base::MutexLock lock(mutex_);
    is_syncing_ = true;
    wake_beside();
  }
  auto synced = base::answered([this] { return writer_.sync(); });
  const base::MutexLock lock(mutex_);
  is_syncing_ = false;
  while (is_written_beside_) sleep_beside();
  return synced;
}

void Journal::sleep_beside() {
  const std::uint32_t sequence = beside_sleepers_.sequence.load(std::memory_order_relaxed);
  beside_sleepers_.count.fetch_add(1, std::memory_order_relaxed);
  mutex_.unlock();
  sleep(beside_sleepers_, sequence);
  mutex_.lock();
}

void Journal::wake_beside() noexcept {
  if (beside_sleepers_.count.load(std::memory_order_relaxed) == 0) return;
  beside_sleepers_.sequence.fetch_add(1, std::memory_order_relaxed);
  os::futex_wake_all(beside_sleepers_.sequence);
}

// Writes what is staged while the sync of an earlier group runs. False: it has to wait for the role, because
// another file is needed, or the write failed, which who has the role next will meet.
bool Journal::write_beside() {
  is_written_beside_ = true;
  if (pending_.empty()) take_staged();
  mutex_.unlock();
  const auto written = base::answered([this]() -> Result<std::size_t> {
    return pending_.empty() ? Result<std::size_t>(std::size_t{0}) : write_pending(Writing::beside);
  });
  if (!written) tell_owner(written.error());
  mutex_.lock();
  is_written_beside_ = false;
  if (!written) note_failure(written.error());
  wake_beside();
  return written && *written > 0;
}

// Where nobody has the role, nor wants a sync, and the next frames are stored through a mapping: that takes
// less time than to take the role. False: not all that is staged could be stored, which is left to who has
// the role next.
bool Journal::store_alone() {
  const bool is_alone = !role_is_taken_ && pending_.empty() && !refusal_;
  const bool is_sync_wanted = wanted_lsn_.load(std::memory_order_relaxed) > durable_lsn();
  const bool is_small = !staged_.empty() && staged_bytes_ <= alone_bytes_max;
  if (!is_alone || is_sync_wanted || !is_small || !writer_.is_storing()) return false;
  take_staged();
  const auto written = base::answered([this] { return write_pending(Writing::alone); });
  return written && pending_.empty();
}

Result<void> Journal::write_group() {
  const auto written = write_pending(Writing::with_role);
  if (!written) return written.error();
  return {};
}

// A thread that left with an exception would keep the role, and all others would wait for it. Written again,
// the same frames are the same bytes.
Result<std::size_t> Journal::write_group_of(Writing how, const FrameWriter::Group& group) {
  return base::answered([&] {
    return how == Writing::with_role ? writer_.write(pending_, pending_done_, group)
                                     : writer_.write_beside(pending_, pending_done_, group);
  });
}

Result<std::size_t> Journal::write_pending(Writing how) {
  const std::uint64_t written_lsn = written_lsn_.load(std::memory_order_relaxed);
  const std::uint64_t durable_lsn = durable_lsn_.load(std::memory_order_relaxed);
  const FrameWriter::Group group{
      .first_lsn = written_lsn + 1,
      .prior_is_durable = durable_lsn == written_lsn,
      .is_sync_wanted =
          how == Writing::with_role && wanted_lsn_.load(std::memory_order_relaxed) > durable_lsn,
      .is_beside_sync = how == Writing::beside,
  };
  auto written = write_group_of(how, group);
  if (written && *written == 0) return written;
  if (!written) {
    const Error& cause = written.error();
    if (cause.code() == Errc::storage_failed) return cause;
    return Error(cause.code(),
                 "nothing was written to the journal from frame " + std::to_string(group.first_lsn) +
                     " on; the next commit tries again: " + cause.message(),
                 cause.sys_errno(), Outcome::unknown);
  }
  groups_.add();
  frames_.add(*written);
  skip_pending(*written);
  return written;
}

// Lets go of the first `count` of what is pending.
void Journal::skip_pending(std::size_t count) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    QueuedFrame& frame = pending_[pending_done_ + i];
    bytes += frame.frame_bytes;
    frame.pin.reset();
  }
  pending_done_ += count;
  // Nobody else stores these.
  pending_bytes_.store(pending_bytes_.load(std::memory_order_relaxed) - bytes, std::memory_order_relaxed);
  pending_frames_.store(pending_frames_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  written_lsn_.store(written_lsn_.load(std::memory_order_relaxed) + count, std::memory_order_release);
  if (pending_done_ < pending_.size()) return;
  pending_.clear();
  pending_done_ = 0;
}

void Journal::tell_owner(const Error& error) {
  if (error.code() == Errc::storage_failed && options_.on_storage_failed) options_.on_storage_failed(error);
}

void Journal::note_failure(const Error& error) {
  ++failures_;
  last_failure_ = error;
  if (error.code() == Errc::storage_failed) {
    if (!refusal_) refuse(error);
  } else {
    is_starved_ = true;
  }
}

// Whether somebody who waits for the next group may have nothing to wait for: a failure that was noted, here
// or beside this group, or frames that a checkpoint has. A waiter of these frames that is woken may leave
// without the role.
bool Journal::has_changed_for_all() const noexcept {
  return refusal_ || failures_ != failures_before_group_ || durable_lsn() > group_end_lsn_;
}

void Journal::finish(const Result<void>& outcome) {
  Wake whom;
  bool is_refused = false;
  {
    const base::MutexLock lock(mutex_);
    if (outcome) {
      is_starved_ = false;
    } else {
      note_failure(outcome.error());
    }
    is_refused = refusal_.has_value();
    if (is_refused) {
      dropped_.swap(staged_);
      staged_bytes_ = 0;
    }
    for (const int i : {0, 1}) {
      const bool is_done = i == parity_ || has_changed_for_all();
      if (is_done && sleepers_[i].count.load(std::memory_order_relaxed) > 0) whom.all[i] = &sleepers_[i];
    }
    if (!is_refused) release_role(whom);
  }
  wake(whom);
  if (!is_refused) return;
  dropped_.clear();
  pending_.clear();
  pending_done_ = 0;
  pending_frames_.store(0, std::memory_order_relaxed);
  pending_bytes_.store(0, std::memory_order_relaxed);
  whom = {};
  {
    const base::MutexLock lock(mutex_);
    if (has_changed_for_all()) whom.all[parity_ ^ 1] = &sleepers_[parity_ ^ 1];
    release_role(whom);
  }
  wake(whom);
}

// The disk is idle until the next one has the role, so that one is woken before those who are done.
void Journal::release_role(Wake& whom) {
  role_is_taken_ = false;
  wake_beside();
  Sleepers& next = sleepers_[parity_ ^ 1];
  if (next.count.load(std::memory_order_relaxed) > 0) whom.one = &next;
}

void Journal::wake(const Wake& whom) noexcept {
  if (whom.one != nullptr) {
    whom.one->sequence.fetch_add(1, std::memory_order_relaxed);
    os::futex_wake(whom.one->sequence, 1);
  }
  for (Sleepers* const sleepers : whom.all) {
    if (sleepers == nullptr) continue;
    sleepers->sequence.fetch_add(1, std::memory_order_relaxed);
    os::futex_wake_all(sleepers->sequence);
  }
}

void Journal::drop_below(std::uint64_t lsn) {
  {
    const base::MutexLock lock(mutex_);
    SERIATIM_ASSERT(lsn >= 1 && lsn <= next_lsn_);
    if (written_lsn_.load(std::memory_order_relaxed) + 1 >= lsn && !is_starved_) return;
  }
  acquire_role();
  for (;;) {
    const std::uint64_t written_lsn = written_lsn_.load(std::memory_order_relaxed);
    const std::uint64_t left = pending_.size() - pending_done_;
    if (written_lsn + 1 >= lsn) break;
    if (left > 0) {
      skip_pending(static_cast<std::size_t>(std::min(left, lsn - 1 - written_lsn)));
      continue;
    }
    const base::MutexLock lock(mutex_);
    take_staged();
  }
  if (durable_lsn() < lsn - 1) durable_lsn_.store(lsn - 1, std::memory_order_release);
  // Full, and all of it in the checkpoint: the file that is missing.
  writer_.leave_below(lsn);
  finish({});
}

}  // namespace seriatim::journal
