// The groups to which transactions have sent offsets that are not entered yet, and may never be.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.hpp"

namespace seriatim::group {

/// Threads: any.
class UndecidedOffsets {
 public:
  /// An offset is on its way to the group as long as it lives.
  class Sending {
   public:
    Sending(UndecidedOffsets& owner, std::string_view group) : owner_(&owner), group_(group) {
      const base::MutexLock lock(owner.mutex_);
      owner.groups_.insert(group_);
    }
    Sending(Sending&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), group_(std::move(other.group_)) {}
    Sending& operator=(Sending&&) = delete;
    ~Sending() {
      if (owner_ == nullptr) return;
      const base::MutexLock lock(owner_->mutex_);
      owner_->groups_.erase(owner_->groups_.find(group_));
    }

   private:
    UndecidedOffsets* owner_;
    std::string group_;
  };

  /// Calls `step` if none is on its way to the group; none sets out while it runs.
  /// @return whether it was called.
  template <class Step>
  bool unless_sending(std::string_view group, const Step& step) {
    const base::MutexLock lock(mutex_);
    if (groups_.find(group) != groups_.end()) return false;
    step();
    return true;
  }

 private:
  base::Mutex mutex_;
  std::multiset<std::string, std::less<>> groups_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::group
