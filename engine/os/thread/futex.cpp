#include "os/thread/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace seriatim::os {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// The bitset form, because its timeout is a point in time: waiting again after an early wake does not add up.
long wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec* deadline) noexcept {
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, deadline, nullptr,
                   FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  static_cast<void>(wait(word, expected, nullptr));
}

bool futex_wait_until(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                      std::int64_t deadline_ns) noexcept {
  constexpr std::int64_t second_ns = 1'000'000'000;
  const std::int64_t at = std::max<std::int64_t>(deadline_ns, 0);
  const timespec deadline{at / second_ns, static_cast<long>(at % second_ns)};
  return wait(word, expected, &deadline) == 0 || errno != ETIMEDOUT;
}

void futex_wake(const std::atomic<std::uint32_t>& word, int count) noexcept {
  static_cast<void>(::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0));
}

void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept {
  futex_wake(word, std::numeric_limits<int>::max());
}

}  // namespace seriatim::os
