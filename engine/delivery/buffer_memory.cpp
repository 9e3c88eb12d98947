#include "delivery/buffer_memory.hpp"

#include <string>

namespace seriatim::delivery {

Result<MemoryLease> BufferMemory::acquire(std::size_t bytes, std::chrono::steady_clock::time_point deadline) {
  const base::MutexLock lock(mutex_);
  const bool may_wait = deadline > std::chrono::steady_clock::now();
  const bool nobody_waits = next_ticket_ == served_ticket_;
  if (!nobody_waits || !fits(bytes)) {
    const std::string state =
        std::to_string(used_) + " of " + std::to_string(limit_) + " bytes of buffer_memory are in use";
    if (!may_wait) {
      return Error(Errc::queue_full,
                   state + "; wait for earlier sends, raise buffer_memory, or use OnFull::block");
    }
    const std::uint64_t ticket = next_ticket_++;
    bool in_time = true;
    while (in_time && (served_ticket_ != ticket || !fits(bytes)))
      in_time = freed_.wait_until(mutex_, deadline);
    // Tickets are served in order; one that gave up lets the next one try.
    while (served_ticket_ != ticket) freed_.wait(mutex_);
    ++served_ticket_;
    freed_.notify_all();
    if (!fits(bytes)) {
      return Error(Errc::timed_out,
                   state + " and none came free within max_block; raise either, or send less at once");
    }
  }
  used_ += bytes;
  added_.add(bytes);
  return MemoryLease(shared_from_this(), bytes);
}

void BufferMemory::release(std::size_t bytes) noexcept {
  const base::MutexLock lock(mutex_);
  used_ -= bytes;
  removed_.add(bytes);
  if (next_ticket_ != served_ticket_) freed_.notify_all();
}

}  // namespace seriatim::delivery
