// An immutable value that is replaced as a whole: writers swap, readers keep what they loaded.
//
// A reader that looks often keeps its own copy of the pointer and compares versions: one acquire load while
// nothing changed. (std::atomic<std::shared_ptr> takes a hidden lock on every load in libstdc++ 12.)
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/mutex.hpp"

namespace seriatim::base {

template <class T>
class Snapshot {
 public:
  /// Keeps the value of some moment. A reference to the value can only be had from a pointer that has a name:
  /// `for (auto& x : *snapshot.load())` would iterate over a value that the next store may free, because a
  /// loop does not keep the temporary alive.
  class Ptr {
   public:
    Ptr() noexcept = default;
    Ptr(std::nullptr_t) noexcept {}                                             // NOLINT: as std::shared_ptr
    Ptr(std::shared_ptr<const T> value) noexcept : value_(std::move(value)) {}  // NOLINT: as std::shared_ptr
    Ptr(std::shared_ptr<T> value) noexcept : value_(std::move(value)) {}        // NOLINT: as std::shared_ptr

    const T& operator*() const& noexcept { return *value_; }
    const T& operator*() const&& = delete;
    /// Also of a temporary, for one expression.
    const T* operator->() const noexcept { return value_.get(); }
    const T* get() const& noexcept { return value_.get(); }
    const T* get() const&& = delete;
    void reset() noexcept { value_.reset(); }
    void swap(Ptr& other) noexcept { value_.swap(other.value_); }
    explicit operator bool() const noexcept { return value_ != nullptr; }
    bool operator==(std::nullptr_t) const noexcept { return value_ == nullptr; }
    bool operator==(const Ptr& other) const noexcept = default;

   private:
    std::shared_ptr<const T> value_;
  };

  explicit Snapshot(Ptr initial) : value_(std::move(initial)) {}

  /// The value of now. Any thread.
  /// Cost: a mutex.
  Ptr load() const {
    const MutexLock lock(mutex_);
    return value_;
  }
  /// Increases with every store. Any thread.
  /// Cost: an acquire load.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
  /// Loads again only if something was stored since `version`. Any thread.
  void refresh(Ptr& value, std::uint64_t& version) const {
    if (this->version() == version && value != nullptr) return;
    const MutexLock lock(mutex_);
    value = value_;
    version = version_.load(std::memory_order_relaxed);
  }
  /// Replaces the value. Any thread; concurrent read-modify-store needs a lock of the caller's.
  void store(Ptr value) {
    const MutexLock lock(mutex_);
    value_.swap(value);
    version_.fetch_add(1, std::memory_order_release);
  }

 private:
  mutable Mutex mutex_;
  Ptr value_ SERIATIM_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace seriatim::base
