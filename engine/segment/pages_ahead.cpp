#include "segment/pages_ahead.hpp"

#include <algorithm>

#include "base/boundary.hpp"
#include "segment/held_maps.hpp"
#include "segment/segment_end.hpp"

namespace seriatim::segment {
namespace {

// The bytes populated with the mutex held: as long as a seal may have to wait, 0.15 ms.
constexpr std::uint64_t prefault_step_bytes = 1ULL << 20;

}  // namespace

void PagesAhead::populate(const HeldMaps& maps, const SegmentEnd& end) noexcept {
  for (;;) {
    const base::MutexLock lock(mutex_);
    const std::uint64_t to = asked_to();
    const std::uint64_t from = std::max(populated_to_.load(std::memory_order_relaxed), end.position());
    if (from >= to) return;
    const SegmentPin present = maps.present();
    if (!present) return;
    const std::uint64_t step_end = std::min(to, from + prefault_step_bytes);
    // The appender meets the same error, and returns it.
    if (!base::answered([&] { return present->log.populate(from, step_end - from); })) return;
    populated_to_.store(step_end, std::memory_order_release);
  }
}

void PagesAhead::stop() noexcept {
  asked_to_.store(0, std::memory_order_relaxed);
  const base::MutexLock lock(mutex_);
  populated_to_.store(0, std::memory_order_relaxed);
}

}  // namespace seriatim::segment
