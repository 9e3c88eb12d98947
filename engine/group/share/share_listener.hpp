// Consumers of a share group that sleep until something of a partition can be handed out.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace seriatim::group {

/// Told that records came back, that the window has room again, or that it is to be looked at earlier. Must
/// be quick, and must not call back into the partition.
class ShareListener {
 public:
  virtual ~ShareListener() = default;
  virtual void on_share_change() noexcept = 0;
};

/// Threads: none of its own; whoever holds it has a lock.
class ShareListeners {
 public:
  void add(std::shared_ptr<ShareListener> listener) { listeners_.push_back(std::move(listener)); }
  /// Undoes one `add`.
  void remove(const std::shared_ptr<ShareListener>& listener) noexcept {
    const auto found = std::find(listeners_.begin(), listeners_.end(), listener);
    if (found != listeners_.end()) listeners_.erase(found);
  }
  void tell() const noexcept {
    for (const auto& listener : listeners_) listener->on_share_change();
  }

 private:
  std::vector<std::shared_ptr<ShareListener>> listeners_;
};

}  // namespace seriatim::group
