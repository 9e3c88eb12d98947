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
    const bool needs_sync = needs_sync_.exchange(false, std::memory_order_acq_rel);
    if (!needs_sync && synced_position_ == end) return {};
    auto synced = base::answered([this]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { return sync_files(); });
    if (!synced) {
      needs_sync_.store(true, std::memory_order_release);
      return synced;
    }
    synced_position_ = end;
    if (is_sealed()) {
      const base::MutexLock maps_lock(maps_mutex_);
      enters_cache = !is_cacheable_ && maps_ != nullptr;
      is_cacheable_ = true;
    }
  }
  if (!enters_cache) return {};
  // The sync is done, whatever becomes of the maps: what the cache does not know it could not take away
  // again.
  const auto noted = base::answered([this]() -> Result<> {
    map_cache_.mapped(shared_from_this());
    return {};
  });
  if (!noted) drop_maps();
  return {};
}

// The log last: what is known to be durable in it has its indexes.
Result<> Segment::sync_files() {
  if (auto synced = transactions_.sync(); !synced) return synced;
  if (has_exact_files_.load(std::memory_order_acquire)) {
    if (auto synced = sync_file(offset_index_path_); !synced) return synced;
    if (auto synced = sync_file(time_index_path_); !synced) return synced;
  }
  release_unsynced_pages();
  return sync_file(log_path_);
}

// Before the kernel writes them and protects each from stores by itself. Up to what the other thread
// populated ahead: that is dirty like the rest.
void Segment::release_unsynced_pages() const {
  const SegmentPin maps = present_maps();
  const std::uint64_t end = std::max(end_position(), prefaulted_bytes_.load(std::memory_order_relaxed));
  if (maps && end > synced_position_) maps->log.release_pages(synced_position_, end - synced_position_);
}

Result<> Segment::sync_file(const std::string& path) {
  auto file = context_.files.open(path, os::OpenMode::read_write);
  if (!file) return std::move(file).error();
  return (*file)->sync_data();
}

}  // namespace seriatim::segment
