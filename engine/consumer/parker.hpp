// Where a consumer sleeps until somebody appends, or until it is told to stop waiting.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/mutex.hpp"
#include "group/share/share_listener.hpp"
#include "os/thread/event_fd.hpp"
#include "partition/append_listener.hpp"

namespace seriatim::consumer {

/// One sleeper; any thread may wake it.
class Parker final : public partition::AppendListener, public group::ShareListener {
 public:
  void on_append() noexcept override { wake(); }
  void on_share_change() noexcept override { wake(); }
  /// Ends a sleep, and makes the descriptor readable.
  void wake() noexcept;

  /// Asks the consumer to come back to its caller, once.
  void interrupt() noexcept;
  /// Whether that was asked since the last call.
  bool take_interrupt() noexcept;
  bool is_interrupted() const noexcept { return interrupted_.load(std::memory_order_acquire); }

  /// To be taken before looking whether there is a reason to sleep at all.
  std::uint32_t ticket() const noexcept { return word_.load(std::memory_order_seq_cst); }
  /// Sleeps until `deadline_ns` (monotonic), unless there was a wake since `ticket`. May return early.
  void sleep(std::uint32_t ticket, std::int64_t deadline_ns) noexcept;

  /// The descriptor, made by the first call; -1 if none could be had.
  int event_fd() noexcept;
  bool has_event() const noexcept { return has_event_.load(std::memory_order_acquire); }
  /// Makes the descriptor unreadable. Look for records after it, not before.
  void clear_event() noexcept;

 private:
  // Counts wakes; the futex.
  std::atomic<std::uint32_t> word_{0};
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> has_event_{false};
  std::atomic<bool> is_signaled_{false};  // saves the appender the system call while nobody has looked
  base::Mutex event_mutex_;               // only for making event_
  os::EventFd event_;
};

}  // namespace seriatim::consumer
