// Bounds the number of sealed segments that stay mapped (vm.max_map_count is 65'530 by default and is the whole process's).
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/mutex.hpp"

namespace seriatim::segment {

class Segment;

/// Least recently pinned sealed segments lose their cached maps first; a reader that holds a pin keeps its bytes all the same.
/// Any thread.
class MapCache {
 public:
  /// @param capacity  sealed segments kept mapped; 1'024 (three maps each) is 5 % of the default limit.
  explicit MapCache(std::size_t capacity = 1024) noexcept : capacity_(capacity) {}

  /// Notes a use of `segment`, which has just been mapped or pinned; may drop the maps of another.
  void touched(const std::shared_ptr<Segment>& segment);
  /// Forgets a segment that is being destroyed or deleted.
  void forget(const Segment* segment) noexcept;
  std::size_t size() const noexcept;

 private:
  struct Entry {
    const Segment* key;
    std::weak_ptr<Segment> segment;
  };
  std::size_t capacity_;
  mutable base::Mutex mutex_;
  std::list<Entry> recent_ SERIATIM_GUARDED_BY(mutex_);  // front: most recent
  std::unordered_map<const Segment*, std::list<Entry>::iterator> places_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::segment
