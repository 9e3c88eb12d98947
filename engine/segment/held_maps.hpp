// The maps of one segment: made on demand, given up when nobody holds them and the MapCache wants room.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "segment/segment_maps.hpp"

namespace seriatim::segment {

/// Any thread.
class HeldMaps {
 public:
  struct Pinned {
    SegmentPin maps{};              ///< nullptr: they are refused.
    bool is_for_the_cache = false;  ///< They were made, or are held again, and may be dropped.
  };
  /// The maps that are held, or that a reader has, or else those that `make` makes.
  /// Errors: those of `make`.
  template <class Make>
  Result<Pinned> pin(const Make& make) SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    if (is_refused()) return Pinned{};
    if (maps_) {
      // Tested first: readers of one segment should not fight for a cache line.
      if (!recently_used_.load(std::memory_order_relaxed))
        recently_used_.store(true, std::memory_order_relaxed);
      return Pinned{maps_, false};
    }
    SegmentPin pinned = last_maps_.lock();  // dropped by the cache, held by a reader
    if (!pinned) {
      Result<SegmentPin> made = make();
      if (!made) return std::move(made).error();
      pinned = std::move(*made);
    }
    maps_ = pinned;
    last_maps_ = pinned;
    return Pinned{std::move(pinned), is_droppable_};
  }
  /// The maps that are held; nullptr: none are. Unlike `pin` it makes none.
  SegmentPin present() const SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    return maps_;
  }
  /// Holds maps that somebody else has made, until they may be dropped.
  void hold(SegmentPin maps) SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    last_maps_ = maps;
    maps_ = std::move(maps);
  }
  /// Whether a reader, not only the caches, holds the maps.
  bool is_pinned() const noexcept SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    return maps_ ? maps_.use_count() > 1 : !last_maps_.expired();
  }

  /// From then on `drop` may be called. Not before everything appended here is synced, because the mapping
  /// keeps the inode, and with it an unreported write error, in memory.
  /// @return whether there are maps now that the cache has to be told of.
  bool allow_dropping() noexcept SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    const bool is_news = !is_droppable_ && maps_ != nullptr;
    is_droppable_ = true;
    return is_news;
  }
  /// Lets go of the maps; whoever holds a pin keeps them.
  void drop() noexcept SERIATIM_EXCLUDES(mutex_) {
    SegmentPin released;  // unmapped after the lock
    const base::MutexLock lock(mutex_);
    released = std::move(maps_);
  }
  bool take_recently_used() noexcept { return recently_used_.exchange(false, std::memory_order_relaxed); }

  /// Refuses new pins.
  void refuse() noexcept SERIATIM_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    refused_.store(true, std::memory_order_release);
  }
  bool is_refused() const noexcept { return refused_.load(std::memory_order_acquire); }

 private:
  mutable base::WordMutex mutex_;
  SegmentPin maps_ SERIATIM_GUARDED_BY(mutex_);
  std::weak_ptr<SegmentMaps> last_maps_ SERIATIM_GUARDED_BY(mutex_);
  bool is_droppable_ SERIATIM_GUARDED_BY(mutex_) = false;
  std::atomic<bool> refused_{false};
  std::atomic<bool> recently_used_{false};
};

}  // namespace seriatim::segment
