// Bounds that several partitions move at once. A commit moves the last stable offsets of all its partitions,
// a poll takes those of all its own; the gate lets neither fall into the midst of the other (INV-8).
#pragma once

#include <atomic>
#include <cstdint>

#include "base/mutex.hpp"
#include "os/thread/spin_wait.hpp"

namespace seriatim::partition {

/// A sequence lock. The values changed and looked at are atomics, stored with release and loaded with
/// acquire, as the offsets of a partition are: a look that has seen any of a change's stores then also sees
/// the odd number before them.
/// Threads: any.
class VisibilityGate {
 public:
  /// Held by who changes something, from when it decides what.
  base::WordMutex mutex;

  /// Calls `move`, which stores offsets and does nothing that could wait: lookers spin.
  template <class Move>
  void change(Move&& move) SERIATIM_REQUIRES(mutex) {
    const std::uint64_t before = sequence_.load(std::memory_order_relaxed);
    sequence_.store(before + 1, std::memory_order_release);
    move();
    sequence_.store(before + 2, std::memory_order_release);
  }

  /// Calls `take` until no change ran meanwhile: what its last call has seen, was there at one moment.
  /// Cost: two loads, if nothing changes.
  template <class Take>
  void look(Take&& take) {
    // The thread that changes something may have lost its processor, or there may be no end of changes.
    os::SpinWait spin(rounds_max);
    do {
      const std::uint64_t before = sequence_.load(std::memory_order_acquire);
      if (before % 2 != 0) continue;
      take();
      if (sequence_.load(std::memory_order_acquire) == before) return;
    } while (spin.once());
    const base::MutexLock lock(mutex);
    take();
  }

 private:
  static constexpr std::uint32_t rounds_max = 10;  // arbitrary: some microseconds

  std::atomic<std::uint64_t> sequence_{0};
};

}  // namespace seriatim::partition
