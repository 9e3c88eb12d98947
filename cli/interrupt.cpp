#include "interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace seriatim::cli {
namespace {

std::atomic<int> caught_signal{0};
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

extern "C" void on_interrupt(int signal_number) {
  const int saved_errno = errno;
  caught_signal.store(signal_number, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  // An eventfd takes 2^64 - 2 of these before a write could fail, and then it is readable all the same.
  [[maybe_unused]] const ssize_t written =
      ::write(wake_fd.load(std::memory_order_relaxed), &one, sizeof(one));
  errno = saved_errno;
}

}  // namespace

void catch_interrupts() noexcept {
  wake_fd.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), std::memory_order_relaxed);
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  // A second signal of the same kind kills: whoever presses Ctrl-C twice means it.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool is_interrupted() noexcept { return interrupting_signal() != 0; }
int interrupting_signal() noexcept { return caught_signal.load(std::memory_order_relaxed); }
int interrupt_fd() noexcept { return wake_fd.load(std::memory_order_relaxed); }

}  // namespace seriatim::cli
