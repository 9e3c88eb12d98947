#include "directory/upkeep/journal_limit.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "base/boundary.hpp"

namespace seriatim::directory {

namespace {

// How long a commit that is on its way may take before it counts as stopped; arbitrary, some syncs of a busy
// disk. And between two checkpoints that look for it.
constexpr std::chrono::milliseconds patience{2'000};
constexpr std::chrono::milliseconds pause{20};

}  // namespace

thread_local std::uint32_t JournalLimit::claims = 0;

// A checkpoint that began before the caller came may have looked before the journal was full: the next one
// counts. One at a time is made, by whoever comes first, for all who wait. One that makes no room met a
// commit on its way: most are only slow, as a disk is, and the next checkpoint finds them done.
Result<> JournalLimit::wait_for_room() {
  if (claims > 0) return {};
  waits_.add();
  const auto patient_until = std::chrono::steady_clock::now() + patience;
  const base::MutexLock lock(mutex_);
  const std::uint64_t awaited = begun_ + 1;
  while (is_reached_.load(std::memory_order_relaxed)) {
    if (begun_ > ended_) {
      ended_one_.wait(mutex_);
      continue;
    }
    if (ended_ >= awaited) {
      const auto now = std::chrono::steady_clock::now();
      if (!last_ || now >= patient_until) return refusal();
      if (ended_one_.wait_until(mutex_, now + pause)) continue;  // Somebody made room, or another checkpoint.
    }
    make_checkpoint();
  }
  return {};
}

void JournalLimit::look() {
  const bool is_reached = is_reached_now();
  if (is_reached_.exchange(is_reached, std::memory_order_relaxed) == is_reached || is_reached) return;
  // With the mutex: a thread between its look and its wait would miss the call.
  const base::MutexLock lock(mutex_);
  ended_one_.notify_all();
}

// A checkpoint that throws has ended as well: the threads that wait for it look again.
void JournalLimit::make_checkpoint() {
  ++begun_;
  mutex_.unlock();
  auto made = base::answered([this] {
    auto stored = environment_.checkpoint();
    look();
    return stored;
  });
  mutex_.lock();
  ++ended_;
  last_ = std::move(made);
  ended_one_.notify_all();
}

Error JournalLimit::refusal() const {
  const std::string at_limit = "the journal is at its limit of " + std::to_string(environment_.limit_bytes) +
                               " bytes (EngineOptions::journal_max_bytes), and ";
  if (!last_) {
    return Error(last_.error().code(),
                 at_limit + "the checkpoint that would make room failed: " + last_.error().message(),
                 last_.error().sys_errno())
        .with_outcome(Outcome::not_written);
  }
  return Error(Errc::storage_full,
               at_limit +
                   "a checkpoint made no room: a commit that stopped on its way keeps it. See `seriatim txn "
                   "list`, and the log sink for what stopped it; free space on the disk, or open the engine "
                   "again")
      .with_outcome(Outcome::not_written);
}

}  // namespace seriatim::directory
