// How many mappings of files this process may have of us. The kernel allows each process a number of them
// (vm.max_map_count) and at the limit refuses others their memory too: malloc, new threads, the host program.
#pragma once

#include <atomic>
#include <cstdint>

namespace seriatim::os {

/// Threads: any.
class MapBudget {
 public:
  /// @param limit  mappings that may be had at a time.
  explicit MapBudget(std::uint64_t limit) noexcept : limit_(limit) {}
  MapBudget(const MapBudget&) = delete;
  MapBudget& operator=(const MapBudget&) = delete;

  /// That of the whole process: 15/16 of vm.max_map_count, as it was when it was first asked for. The rest,
  /// 4,095 by default, is the host program's. Arbitrary within that: 20,000 active segments have their place.
  static MapBudget& of_process() noexcept;

  /// One more, if there is one left. Each that was taken is given back once.
  [[nodiscard]] bool take() noexcept {
    if (taken_.fetch_add(1, std::memory_order_relaxed) < limit_) return true;
    give_back();
    return false;
  }
  void give_back() noexcept { taken_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint64_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const noexcept { return limit_; }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> taken_{0};
};

/// vm.max_map_count; its default, 65,530, where it cannot be read.
std::uint64_t maps_max() noexcept;

}  // namespace seriatim::os
