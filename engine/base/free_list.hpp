// Keeps a few used objects for the next taker. Any thread, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace seriatim::base {

/// At most N objects; one that finds no room is destroyed.
template <class T, std::size_t N>
class FreeList {
 public:
  FreeList() noexcept = default;
  ~FreeList() {
    for (auto& place : places_) std::unique_ptr<T>(place.load(std::memory_order_acquire)).reset();
  }
  FreeList(const FreeList&) = delete;
  FreeList& operator=(const FreeList&) = delete;

  /// Null if it is empty.
  std::unique_ptr<T> take() noexcept {
    for (auto& place : places_) {
      if (place.load(std::memory_order_relaxed) == nullptr) continue;
      if (T* const object = place.exchange(nullptr, std::memory_order_acquire))
        return std::unique_ptr<T>(object);
    }
    return nullptr;
  }
  void put(std::unique_ptr<T> object) noexcept {
    for (auto& place : places_) {
      T* nothing = nullptr;
      if (place.compare_exchange_strong(nothing, object.get(), std::memory_order_release,
                                        std::memory_order_relaxed)) {
        static_cast<void>(object.release());
        return;
      }
    }
  }

 private:
  std::array<std::atomic<T*>, N> places_{};
};

}  // namespace seriatim::base
