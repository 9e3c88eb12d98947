#include "interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

std::atomic<int> caught_signal{0};
std::atomic<int> caught_count{0};
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

extern "C" void on_interrupt(int signal_number) {
  const int saved_errno = errno;
  caught_signal.store(signal_number, std::memory_order_relaxed);
  caught_count.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  // An eventfd takes 2^64 - 2 of these before a write could fail, and then it is readable all the same.
  [[maybe_unused]] const ssize_t written =
      ::write(wake_fd.load(std::memory_order_relaxed), &one, sizeof(one));
  errno = saved_errno;
}

void install_interrupt_handler(int flags) noexcept {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = flags;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void catch_interrupts() noexcept {
  wake_fd.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), std::memory_order_relaxed);
  // A second signal of the same kind kills: whoever presses Ctrl-C twice means it.
  install_interrupt_handler(static_cast<int>(SA_RESETHAND));
  std::signal(SIGPIPE, SIG_IGN);
}

void catch_every_interrupt() noexcept { install_interrupt_handler(0); }

bool is_interrupted() noexcept { return interrupting_signal() != 0; }
int interrupting_signal() noexcept { return caught_signal.load(std::memory_order_relaxed); }
int interrupt_count() noexcept { return caught_count.load(std::memory_order_relaxed); }

void wait_for_interrupt(std::chrono::milliseconds timeout) noexcept {
  pollfd waited_for{.fd = interrupt_fd(), .events = POLLIN, .revents = 0};
  ::poll(&waited_for, 1, static_cast<int>(timeout.count()));
  std::uint64_t count = 0;
  // Nothing to read: the time is over.
  [[maybe_unused]] const ssize_t taken = ::read(waited_for.fd, &count, sizeof(count));
}

int interrupt_fd() noexcept { return wake_fd.load(std::memory_order_relaxed); }

}  // namespace seriatim::cli
