// The offsets of one partition: one writer, any number of readers.
//
// INV-1: log_start <= last_stable <= high_watermark <= log_end and durable <= log_end, in every thread's
// eyes. Held by the order of the stores (an upper bound is raised before a lower one) and asserted by the
// setters. On a single node, every published record is visible, so the high watermark is the log end offset.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include <seriatim/types.hpp>

#include "base/assert.hpp"
#include "partition/unstable_transactions.hpp"

namespace seriatim::partition {

class LogOffsets {
 public:
  /// A batch has at most 2^31 offsets, and behind a log that ends here there are as many.
  static constexpr Offset appendable_end_max =
      std::numeric_limits<Offset>::max() - std::numeric_limits<std::int32_t>::max() - 1;

  /// First offset still readable.
  Offset log_start() const noexcept { return log_start_.load(std::memory_order_acquire); }
  /// First offset not yet visible, exclusive bound of every fetch.
  Offset high_watermark() const noexcept { return log_end(); }
  /// Offset the next record will get.
  /// Sequentially consistent, for readers about to sleep: see publish_log_end. On x86 and ARMv8 that costs no
  /// more than an acquire.
  Offset log_end() const noexcept { return log_end_.load(std::memory_order_seq_cst); }
  /// Records below belong to no transaction that is undecided, nor to one that is becoming visible.
  Offset last_stable() const noexcept {
    // In this order: a transaction that opened below the end that was read is seen.
    const Offset end = log_end();
    const Offset unstable = held_back_.oldest();
    return std::max(std::min(end, unstable), log_start());
  }
  /// Records below are on stable storage.
  Offset durable() const noexcept { return durable_.load(std::memory_order_acquire); }

  /// Records below are on stable storage, and what decided them is.
  Offset durable_stable() const noexcept {
    // In this order: who sees a commit as stable sees that it is not settled.
    const Offset stable = last_stable();
    const Offset marker = unsettled_marker_.load(std::memory_order_acquire);
    const Offset first = unsettled_first_.load(std::memory_order_acquire);
    const Offset settled = settled_.load(std::memory_order_acquire);
    const Offset reached = durable();
    return std::min(stable, reached > marker ? reached : std::min(reached, std::max(first, settled)));
  }

  /// Sets all, while nobody else looks: at open.
  void reset(Offset log_start, Offset durable, Offset log_end) noexcept {
    SERIATIM_ASSERT(log_start <= log_end && durable <= log_end);
    log_end_.store(log_end, std::memory_order_release);
    durable_.store(durable, std::memory_order_release);
    log_start_.store(log_start, std::memory_order_release);
  }
  /// Publishes: a reader that sees the new end finds the bytes below it. The publisher then looks for
  /// sleeping readers, who look at the end after having said that they sleep: one of the two must see the
  /// other, which is what AppendListeners fences for.
  void publish_log_end(Offset end) noexcept {
    SERIATIM_ASSERT(end >= log_end_.load(std::memory_order_relaxed));
    log_end_.store(end, std::memory_order_release);
  }
  /// The transactions that hold back the last stable offset. Added to before `publish_log_end` shows the
  /// first batch of a transaction.
  UnstableTransactions& held_back() noexcept { return held_back_; }
  const UnstableTransactions& held_back() const noexcept { return held_back_; }

  /// A commit whose decision is not on stable storage ends here: until its marker is, a power cut may take it
  /// back. Before the last stable offset moves over it; one thread at a time.
  void note_unsettled(Offset first, Offset marker) noexcept {
    const bool is_another = durable() <= unsettled_marker_.load(std::memory_order_relaxed);
    const Offset known = unsettled_first_.load(std::memory_order_relaxed);
    unsettled_first_.store(is_another ? std::min(first, known) : first, std::memory_order_release);
    unsettled_marker_.store(marker, std::memory_order_release);
  }

  /// No commit that is not settled now, nor any that comes, begins below `offset`: while there is always one
  /// that is not, `unsettled_first_` stays where the oldest since there was none began. Any thread.
  /// @param offset  at most what is durable.
  void advance_settled(Offset offset) noexcept {
    Offset known = settled_.load(std::memory_order_relaxed);
    while (offset > known && !settled_.compare_exchange_weak(known, offset, std::memory_order_release,
                                                             std::memory_order_relaxed)) {
    }
  }

  /// Any thread.
  void advance_durable(Offset offset) noexcept {
    SERIATIM_ASSERT(offset <= log_end());
    Offset known = durable_.load(std::memory_order_relaxed);
    while (offset > known && !durable_.compare_exchange_weak(known, offset, std::memory_order_release,
                                                             std::memory_order_relaxed)) {
    }
  }
  void advance_log_start(Offset offset) noexcept {
    SERIATIM_ASSERT(offset <= high_watermark());
    if (offset > log_start_.load(std::memory_order_relaxed))
      log_start_.store(offset, std::memory_order_release);
  }

 private:
  alignas(64) std::atomic<Offset> log_end_{0};
  alignas(64) std::atomic<Offset> log_start_{0};
  UnstableTransactions held_back_;
  std::atomic<Offset> durable_{0};
  std::atomic<Offset> unsettled_first_{0};
  std::atomic<Offset> unsettled_marker_{-1};
  std::atomic<Offset> settled_{0};
};

}  // namespace seriatim::partition
