#include "consumer/parker.hpp"

#include "base/boundary.hpp"
#include "os/thread/futex.hpp"

namespace seriatim::consumer {

void Parker::wake() noexcept {
  // Sequentially consistent with sleep(): either the sleeper is seen here, or the new count is seen there.
  word_.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) != 0) os::futex_wake_all(word_);
  if (has_event() && !is_signaled_.exchange(true, std::memory_order_acq_rel)) event_.signal();
}

void Parker::interrupt() noexcept {
  interrupted_.store(true, std::memory_order_release);
  wake();
}

bool Parker::take_interrupt() noexcept {
  return is_interrupted() && interrupted_.exchange(false, std::memory_order_acq_rel);
}

void Parker::sleep(std::uint32_t ticket, std::int64_t deadline_ns) noexcept {
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  os::futex_wait_until(word_, ticket, deadline_ns);
  sleepers_.fetch_sub(1, std::memory_order_seq_cst);
}

int Parker::event_fd() noexcept {
  const base::MutexLock lock(event_mutex_);
  if (has_event()) return event_.descriptor();
  auto made = base::answered([] { return os::EventFd::create(); });
  if (!made) return -1;
  event_ = *std::move(made);
  has_event_.store(true, std::memory_order_release);
  return event_.descriptor();
}

void Parker::clear_event() noexcept {
  if (!has_event()) return;
  // The flag last: a wake in between finds it set and writes nothing, but what it announces is seen by the
  // look that follows.
  event_.clear();
  is_signaled_.exchange(false, std::memory_order_acq_rel);
}

}  // namespace seriatim::consumer
