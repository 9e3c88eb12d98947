#include "base/clock.hpp"

#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace seriatim::base {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

std::int64_t wall_ns() noexcept {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t steady_ns() noexcept {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

#if defined(__x86_64__)

// Whether the time stamp counter runs at one rate whatever the core does (CPUID 8000'0007h, EDX bit 8).
bool has_invariant_counter() noexcept {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(0x80000007U, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 8)) != 0;
}

// Both clocks in milliseconds for one thread. Reading the clock takes some 20 ns, because it waits for all
// earlier instructions; the counter alone may be read out of order. So the clock is read once per
// millisecond, and in between the counter says that the millisecond has not ended.
//
// The rate of the counter is measured between two readings and taken with a tenth of a margin, so the answer
// is the clock's own unless somebody sets the clock: that is seen within a millisecond. A counter that moved
// back (a virtual machine that was moved) ends the use of what was read before.
class CachedMillisecond {
 public:
  std::int64_t wall_ms() noexcept {
    look();
    return ms_;
  }
  /// The monotonic one is that of the last reading.
  Clock::Milliseconds both_ms() noexcept {
    look();
    return {ms_, steady_ns_ / ns_per_ms};
  }

 private:
  void look() noexcept {
    const std::uint64_t counter = __builtin_ia32_rdtsc();
    if (counter - read_at_ >= valid_for_) [[unlikely]]
      read(counter);
  }
  void read(std::uint64_t counter) noexcept {
    const std::int64_t steady = steady_ns();
    const std::int64_t now_ns = wall_ns();
    const std::int64_t elapsed_ns = steady - steady_ns_;
    const std::uint64_t elapsed_ticks = counter - read_at_;
    // Less is too coarse a measure; over more, the machine may have slept.
    const bool is_measure = elapsed_ns >= ns_per_ms / 8 && elapsed_ns <= 1000 * ns_per_ms;
    if (is_measure && elapsed_ticks < ticks_max)
      ticks_per_ns_ = static_cast<double>(elapsed_ticks) / static_cast<double>(elapsed_ns);
    const std::int64_t left_ns = ns_per_ms - now_ns % ns_per_ms;
    valid_for_ = static_cast<std::uint64_t>(ticks_per_ns_ * 0.9 * static_cast<double>(left_ns));
    read_at_ = counter;
    steady_ns_ = steady;
    ms_ = now_ns / ns_per_ms;
  }

  static constexpr std::uint64_t ticks_max = 1ULL << 40;  // a counter that moved back gives more

  std::uint64_t read_at_ = 0;
  std::uint64_t valid_for_ = 0;  // ticks after read_at_
  std::int64_t ms_ = 0;
  std::int64_t steady_ns_ = 0;
  double ticks_per_ns_ = 0;  // 0 until it was measured
};

#endif

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const noexcept override {
#if defined(__x86_64__)
    if (has_counter_) return of_this_thread().wall_ms();
#endif
    return wall_ns() / ns_per_ms;
  }
  std::int64_t monotonic_ms() const noexcept override { return both_ms().monotonic; }
  Milliseconds both_ms() const noexcept override {
#if defined(__x86_64__)
    if (has_counter_) return of_this_thread().both_ms();
#endif
    return {wall_ns() / ns_per_ms, steady_ns() / ns_per_ms};
  }
  std::int64_t monotonic_ns() const noexcept override { return steady_ns(); }

 private:
#if defined(__x86_64__)
  static CachedMillisecond& of_this_thread() noexcept {
    static thread_local CachedMillisecond millisecond;
    return millisecond;
  }
  const bool has_counter_ = has_invariant_counter();
#endif
};

}  // namespace

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace seriatim::base
