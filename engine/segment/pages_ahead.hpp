// Pages made present ahead of the appender, by a thread that has nothing better to do. Populating costs the
// appender more than anything else it does with a small batch, and holds it up for as long as it takes.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/counter.hpp"
#include "base/mutex.hpp"

namespace seriatim::segment {

class HeldMaps;
class SegmentEnd;

/// Between the appender of a segment and the thread that populates ahead of it; on lines of its own.
class alignas(base::cache_line_bytes) PagesAhead {
 public:
  /// The end of the range that was asked for; 0: none.
  std::uint64_t asked_to() const noexcept { return asked_to_.load(std::memory_order_relaxed); }
  /// The end of the pages that were made present, as far as they were.
  std::uint64_t populated_to() const noexcept { return populated_to_.load(std::memory_order_acquire); }

  /// For the appender: from its end to `position` there are blocks, whose pages are wanted.
  void ask_to(std::uint64_t position) noexcept { asked_to_.store(position, std::memory_order_relaxed); }
  /// For the appender, before it takes the blocks away: when this returns nobody populates them any more.
  void stop() noexcept;

  /// Makes present what was asked for. Any thread but an appender's.
  void populate(const HeldMaps& maps, const SegmentEnd& end) noexcept;

 private:
  // stop() sets asked_to_ to 0, which ends all of it once the mutex has been held.
  base::Mutex mutex_;
  std::atomic<std::uint64_t> asked_to_{0};
  std::atomic<std::uint64_t> populated_to_{0};
};

}  // namespace seriatim::segment
