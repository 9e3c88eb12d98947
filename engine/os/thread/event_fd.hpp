// A descriptor that becomes readable, for an application's own poll or epoll loop.
#pragma once

#include <seriatim/result.hpp>

namespace seriatim::os {

/// An owned eventfd, non-blocking and closed on exec.
/// Threads: any; moving needs all others to have finished.
class EventFd {
 public:
  /// Errors: too_many_open_files · io_error.
  static Result<EventFd> create();

  EventFd() noexcept = default;
  EventFd(EventFd&& other) noexcept;
  EventFd& operator=(EventFd&& other) noexcept;
  ~EventFd();

  /// Makes it readable until `clear`. Never blocks.
  /// Cost: one system call.
  void signal() noexcept;
  /// Makes it unreadable. True if it was readable.
  bool clear() noexcept;
  /// Owned by this object; -1 if there is none.
  int descriptor() const noexcept { return descriptor_; }

 private:
  explicit EventFd(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace seriatim::os
