// A statistics counter: any thread adds, any thread reads, nothing is ordered by it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seriatim::base {

/// Bytes of a cache line on the processors we know; std::hardware_destructive_interference_size would vary
/// with compiler flags.
inline constexpr std::size_t cache_line_bytes = 64;

/// Alone on its cache line, so that counting in one place does not slow down another.
class alignas(cache_line_bytes) Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// One thread at a time adds (a lock orders the adders), any thread reads.
/// Cost: a load and a store, a third of a Counter's.
class SingleWriterCounter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace seriatim::base
