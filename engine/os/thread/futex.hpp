// Waiting on one word of memory, within this process. std::atomic::wait has no timeout.
#pragma once

#include <atomic>
#include <cstdint>

namespace seriatim::os {

/// Sleeps while `word` is `expected`, until a wake. May return early: test the condition in a loop.
void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept;

/// As `futex_wait`, until the monotonic clock shows `deadline_ns` (see base::Clock::monotonic_ns).
/// @return false if the deadline passed.
bool futex_wait_until(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                      std::int64_t deadline_ns) noexcept;

/// Wakes up to `count` threads that sleep on `word`.
/// Cost: a system call also if nobody sleeps; keep count of the sleepers and leave it out.
void futex_wake(const std::atomic<std::uint32_t>& word, int count) noexcept;
void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

}  // namespace seriatim::os
