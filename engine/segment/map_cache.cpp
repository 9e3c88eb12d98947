#include "segment/map_cache.hpp"

#include <algorithm>
#include <vector>

#include "base/boundary.hpp"
#include "segment/segment.hpp"

namespace seriatim::segment {

MapCache::MapCache(std::size_t capacity) noexcept : capacity_(std::max<std::size_t>(capacity, 1)) {}

void MapCache::mapped(const std::shared_ptr<Segment>& segment) {
  // Outlives the lock: letting go of the last reference destroys the segment, which calls `forget`.
  std::vector<std::shared_ptr<Segment>> evicted;
  {
    const base::MutexLock lock(mutex_);
    if (places_.contains(segment.get())) return;
    entries_.push_back({segment.get(), segment});
    // `forget` finds an entry by its place: without one it would outlive its segment.
    base::Undoing take_out([this]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS { entries_.pop_back(); });
    places_.emplace(segment.get(), std::prev(entries_.end()));
    take_out.keep();
    while (entries_.size() > capacity_) evicted.push_back(evict_one());
  }
  for (const auto& victim : evicted) {
    if (victim) victim->maps_.drop();
  }
}

std::shared_ptr<Segment> MapCache::evict_one() {
  // An entry that was used since it was last considered goes to the back once, so two rounds always find one.
  for (std::size_t considered = 2 * entries_.size(); considered > 0; --considered) {
    Entry& front = entries_.front();
    // The key is alive: a segment leaves this list, under this lock, before it dies.
    if (considered > entries_.size() && front.key->maps_.take_recently_used()) {
      entries_.splice(entries_.end(), entries_, entries_.begin());
      continue;
    }
    auto victim = front.segment.lock();
    places_.erase(front.key);
    entries_.pop_front();
    return victim;
  }
  return nullptr;
}

bool MapCache::shrink() {
  std::vector<std::shared_ptr<Segment>> evicted;
  {
    const base::MutexLock lock(mutex_);
    const std::size_t keep = entries_.size() / 2;
    evicted.reserve(entries_.size() - keep);
    while (entries_.size() > keep) evicted.push_back(evict_one());
  }
  for (const auto& victim : evicted) {
    if (victim) victim->maps_.drop();
  }
  return !evicted.empty();
}

void MapCache::forget(const Segment* segment) noexcept {
  const base::MutexLock lock(mutex_);
  const auto found = places_.find(segment);
  if (found == places_.end()) return;
  entries_.erase(found->second);
  places_.erase(found);
}

std::size_t MapCache::size() const noexcept {
  const base::MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace seriatim::segment
