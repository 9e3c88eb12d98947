// Requests of appenders and committers, on their way to the upkeep thread, to have ready the pages of
// segments, and the next journal file; and what that thread sleeps on.
#pragma once

#include <array>
#include <cstddef>

#include "base/mutex.hpp"
#include "segment/files/prefaulter.hpp"
#include "segment/segment.hpp"

namespace seriatim::directory {

/// Any thread; one takes.
class PrefaultQueue final : public segment::Prefaulter {
 public:
  /// Forgotten if as many as the queue holds are waiting, or nobody takes any more.
  void request(segment::SegmentPtr segment) noexcept override;
  /// Asks for a journal file.
  void request_journal_file() noexcept;
  /// Whether one was asked for since the last call.
  bool take_journal_request() noexcept;
  /// Lets the taker, or the next one, go on without a segment: there is other work for it.
  void wake() noexcept;
  /// The oldest request of a segment; waits for one. nullptr: a journal file was asked for, or `wake` or
  /// `stop` was called.
  segment::SegmentPtr take();
  /// Forgets what waits and wakes the taker.
  void stop() noexcept;

 private:
  // Arbitrary. More appenders than that, each 2 MiB from needing its pages, keep one thread busy for seconds.
  static constexpr std::size_t capacity = 64;

  base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::array<segment::SegmentPtr, capacity> waiting_ SERIATIM_GUARDED_BY(mutex_);
  std::size_t first_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::size_t count_ SERIATIM_GUARDED_BY(mutex_) = 0;
  bool is_file_wanted_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_woken_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool stopped_ SERIATIM_GUARDED_BY(mutex_) = false;
};

}  // namespace seriatim::directory
