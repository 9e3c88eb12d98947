#include "api/in_flight.hpp"

namespace seriatim::api {

void InFlight::add() noexcept {
  const base::MutexLock lock(mutex_);
  ++count_;
}

void InFlight::remove() noexcept {
  const base::MutexLock lock(mutex_);
  if (--count_ == 0) emptied_.notify_all();
}

bool InFlight::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
  const base::MutexLock lock(mutex_);
  while (count_ != 0) {
    if (!emptied_.wait_until(mutex_, deadline)) return count_ == 0;
  }
  return true;
}

}  // namespace seriatim::api
