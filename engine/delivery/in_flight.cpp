#include "delivery/in_flight.hpp"

#include <cstddef>

namespace seriatim::delivery {

std::uint64_t InFlight::add() {
  const base::MutexLock lock(mutex_);
  ++counts_.back();
  return first_generation_ + counts_.size() - 1;
}

void InFlight::remove(std::uint64_t generation) noexcept {
  const base::MutexLock lock(mutex_);
  --counts_[static_cast<std::size_t>(generation - first_generation_)];
  if (counts_.size() == 1 || counts_.front() != 0) return;
  while (counts_.size() > 1 && counts_.front() == 0) {
    counts_.pop_front();
    ++first_generation_;
  }
  finished_.notify_all();
}

bool InFlight::wait_for_earlier(std::chrono::steady_clock::time_point deadline) {
  const base::MutexLock lock(mutex_);
  if (counts_.back() != 0) counts_.push_back(0);
  const std::uint64_t next = first_generation_ + counts_.size() - 1;
  while (first_generation_ < next) {
    if (!finished_.wait_until(mutex_, deadline)) return first_generation_ >= next;
  }
  return true;
}

}  // namespace seriatim::delivery
