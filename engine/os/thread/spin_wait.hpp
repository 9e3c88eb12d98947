// Busy waiting that leaves the core's other thread something.
#pragma once

#include <cstdint>

namespace seriatim::os {

/// Tells the processor that this is a spin loop.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield" ::: "memory");
#endif
}

/// A bounded spin: `while (!done()) if (!spin.once()) { sleep properly; break; }`.
class SpinWait {
 public:
  /// @param rounds_max  how often `once` pauses before it gives up. The pauses double up to 64 per round.
  explicit SpinWait(std::uint32_t rounds_max) noexcept : rounds_left_(rounds_max) {}

  /// Pauses; false, at once, when the rounds are used up.
  bool once() noexcept {
    if (rounds_left_ == 0) return false;
    --rounds_left_;
    for (std::uint32_t i = 0; i < pauses_; ++i) cpu_pause();
    if (pauses_ < pauses_max) pauses_ *= 2;
    return true;
  }

 private:
  static constexpr std::uint32_t pauses_max =
      64;  // arbitrary: about 2 us on a 2 GHz core with a 43-cycle pause
  std::uint32_t rounds_left_;
  std::uint32_t pauses_ = 1;
};

}  // namespace seriatim::os
