#include "os/thread/event_fd.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/assert.hpp"
#include "os/descriptor.hpp"
#include "os/errno_error.hpp"
#include "os/retry.hpp"

namespace seriatim::os {

Result<EventFd> EventFd::create() {
  const int descriptor = open_descriptor([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
  if (descriptor >= 0) return EventFd(descriptor);
  const int saved = errno;
  return errno_error(saved, "create an eventfd", {});
}

EventFd::EventFd(EventFd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

EventFd& EventFd::operator=(EventFd&& other) noexcept {
  EventFd taken(std::move(other));
  std::swap(descriptor_, taken.descriptor_);
  return *this;
}

EventFd::~EventFd() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventFd::signal() noexcept {
  const std::uint64_t one = 1;
  const ssize_t result = retry_interrupted([&] { return ::write(descriptor_, &one, sizeof(one)); });
  // EAGAIN: the counter is at its maximum, and so readable already. Nothing else can happen to our
  // own descriptor.
  SERIATIM_ASSERT(result == sizeof(one) || errno == EAGAIN);
}

bool EventFd::clear() noexcept {
  std::uint64_t count = 0;
  const ssize_t result = retry_interrupted([&] { return ::read(descriptor_, &count, sizeof(count)); });
  SERIATIM_ASSERT(result == sizeof(count) || errno == EAGAIN);
  return result > 0;
}

}  // namespace seriatim::os
