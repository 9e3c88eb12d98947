// Time behind an interface a test can drive. Offsets, acknowledgements and recovery never depend on it;
// record timestamps, retention and waiting do.
#pragma once

#include <atomic>
#include <cstdint>

namespace seriatim::base {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since the epoch; may jump in either direction.
  virtual std::int64_t wall_ms() const noexcept = 0;
  /// Nanoseconds since some start; never goes back.
  virtual std::int64_t monotonic_ns() const noexcept = 0;
  /// The same clock in milliseconds, up to one late: as cheap as `wall_ms`. Does not go back for one thread.
  virtual std::int64_t monotonic_ms() const noexcept { return monotonic_ns() / 1'000'000; }
  struct Milliseconds {
    std::int64_t wall = 0;
    std::int64_t monotonic = 0;
  };
  /// `wall_ms` and `monotonic_ms`, for the cost of one.
  virtual Milliseconds both_ms() const noexcept { return {wall_ms(), monotonic_ms()}; }
};

/// The system's clocks. Lives for ever; any thread.
const Clock& system_clock() noexcept;

/// A clock that stands still until it is set. Any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms = 0) noexcept : wall_ms_(wall_ms) {}
  std::int64_t wall_ms() const noexcept override { return wall_ms_.load(std::memory_order_relaxed); }
  std::int64_t monotonic_ns() const noexcept override {
    return monotonic_ns_.load(std::memory_order_relaxed);
  }
  /// Moves both clocks on.
  void advance_ms(std::int64_t ms) noexcept {
    wall_ms_.fetch_add(ms, std::memory_order_relaxed);
    monotonic_ns_.fetch_add(ms * 1'000'000, std::memory_order_relaxed);
  }
  /// Sets the wall clock only, as an administrator or NTP would.
  void set_wall_ms(std::int64_t ms) noexcept { wall_ms_.store(ms, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> wall_ms_;
  std::atomic<std::int64_t> monotonic_ns_{0};
};

}  // namespace seriatim::base
