// Bringing a segment to stable storage. Called by whoever commits, beside a running appender.
#include <algorithm>
#include <utility>

#include "base/boundary.hpp"
#include "segment/segment.hpp"

namespace seriatim::segment {

Result<> Segment::sync() {
  bool enters_cache = false;
  {
    // Waits for a sync that is under way: its caller's bytes may be in it, and are not durable before it
    // ends.
    const base::MutexLock lock(sync_mutex_);
    const std::uint64_t end = end_position();
    const bool needs_sync = end_.take_needs_sync();
    if (!needs_sync && synced_position_ == end) return {};
    auto synced = base::answered([this]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return sync_files(); });
    if (!synced) {
      end_.note_unsynced();
      return synced;
    }
    synced_position_ = end;
    if (is_sealed()) enters_cache = maps_.allow_dropping();
  }
  if (!enters_cache) return {};
  // The sync is done, whatever becomes of the maps: what the cache does not know it could not take away
  // again.
  const auto noted = base::answered([this]() -> Result<> {
    map_cache_.mapped(shared_from_this());
    return {};
  });
  if (!noted) maps_.drop();
  return {};
}

// The log last: what is known to be durable in it has its indexes.
Result<> Segment::sync_files() {
  if (auto synced = transactions_.sync(); !synced) return synced;
  if (end_.has_exact_files()) {
    if (auto synced = files_.sync_indexes(); !synced) return synced;
  }
  release_unsynced_pages();
  return files_.sync_log();
}

// Before the kernel writes them and protects each from stores by itself. Up to what the other thread
// populated ahead: that is dirty like the rest.
void Segment::release_unsynced_pages() const {
  const SegmentPin maps = maps_.present();
  const std::uint64_t end = std::max(end_position(), ahead_.populated_to());
  if (maps && end > synced_position_) maps->log.release_pages(synced_position_, end - synced_position_);
}

}  // namespace seriatim::segment
