// Bounds the number of sealed segments that stay mapped (vm.max_map_count is 65'530 by default and is the
// whole process's).
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/mutex.hpp"

namespace seriatim::segment {

class Segment;

/// Sealed segments that were not pinned lately lose their cached maps first; a reader that holds a pin keeps
/// its bytes all the same. Second chance, for those pinned again after they were mapped, instead of strict
/// recency: pinning a mapped segment then touches nothing that other segments share, and one pass over old
/// segments does not push out what is in use. Any thread.
class MapCache {
 public:
  /// @param capacity  sealed segments kept mapped, 1 or more; 1'024 (three maps each) is 5 % of the default
  /// limit.
  explicit MapCache(std::size_t capacity = 1024) noexcept;
  MapCache(const MapCache&) = delete;
  MapCache& operator=(const MapCache&) = delete;

  /// Notes that `segment` has just been mapped; may drop the maps of others.
  void mapped(const std::shared_ptr<Segment>& segment);
  /// Takes their maps from half of the segments: where the system gives no more.
  /// @return false if there was none.
  bool shrink();
  /// Forgets a segment that is being destroyed or deleted.
  void forget(const Segment* segment) noexcept;
  std::size_t size() const noexcept;

 private:
  struct Entry {
    Segment* key;
    std::weak_ptr<Segment> segment;
  };
  using Entries = std::list<Entry>;
  /// The next segment to lose its maps, taken out of the list; null if it is gone already.
  std::shared_ptr<Segment> evict_one() SERIATIM_REQUIRES(mutex_);

  const std::size_t capacity_;
  mutable base::Mutex mutex_;
  Entries entries_ SERIATIM_GUARDED_BY(mutex_);  // front: next to be considered
  std::unordered_map<const Segment*, Entries::iterator> places_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::segment
