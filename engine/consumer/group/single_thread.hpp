// A consumer serves one thread at a time until it is closed, and says so to a second one. A listener that the
// application runs within a call, or the callback of a commit, may call again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include <seriatim/consumer.hpp>
#include <seriatim/result.hpp>

namespace seriatim::consumer {

/// Threads: any.
class SingleThread {
 public:
  /// The call that finishes a close: that of `close`, or one that was inside.
  enum class Finisher : std::uint8_t { closes, leaves };
  /// @param finish  the end of the consumer, once it was closed: run once, with nobody inside.
  explicit SingleThread(std::function<void(Finisher)> finish) : finish_(std::move(finish)) {}

  /// Use by one thread. While it lives, every other one is refused. The last one out finishes a close.
  class Entry {
   public:
    /// @param of  null: within a listener, whose call has entered already.
    explicit Entry(SingleThread* of) noexcept : of_(of) {}
    Entry(Entry&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Entry& operator=(Entry&&) = delete;
    ~Entry() {
      if (of_ != nullptr) of_->leave();
    }

   private:
    SingleThread* of_;
  };
  /// Errors: closed; invalid_state: another thread is inside.
  Result<Entry> enter() {
    // Also while the consumer is being closed: the listener may commit.
    if (is_in_listener()) return Entry(nullptr);
    if (is_closed())
      return Error(Errc::closed, "the consumer was closed; make a new one with Engine::consumer");
    if (!busy_.exchange(true, std::memory_order_acq_rel)) return Entry(this);
    return Error(Errc::invalid_state,
                 "another thread is inside this consumer; a consumer serves one thread at a time, only "
                 "wakeup and event_fd may be called from others: give each thread its own");
  }

  /// Nobody enters from here on.
  void close(GroupMembership wanted) noexcept {
    wanted_.store(wanted, std::memory_order_relaxed);
    closed_.store(true, std::memory_order_seq_cst);
  }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_seq_cst); }
  /// As `close` was told.
  GroupMembership wanted_membership() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  /// Finishes a close, unless a thread is inside: that one does it when it leaves.
  void finish_if_closed(Finisher finisher) noexcept {
    if (!is_closed() || busy_.exchange(true, std::memory_order_seq_cst)) return;
    if (!std::exchange(is_finished_, true)) finish_(finisher);
    busy_.store(false, std::memory_order_seq_cst);
  }

  /// While it lives, this thread may enter again.
  class Listening {
   public:
    explicit Listening(SingleThread& of) noexcept
        : of_(of), before_(of.listener_.exchange(std::this_thread::get_id(), std::memory_order_relaxed)) {}
    ~Listening() { of_.listener_.store(before_, std::memory_order_relaxed); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

   private:
    SingleThread& of_;
    const std::thread::id before_;  // A listener that commits may have a callback run.
  };
  /// Whether the caller is within a listener, or the callback of a commit.
  bool is_in_listener() const noexcept {
    return listener_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  // Either the one who closes sees that nobody is inside, or the one who leaves sees that it was closed.
  void leave() noexcept {
    busy_.store(false, std::memory_order_seq_cst);
    finish_if_closed(Finisher::leaves);
  }

  const std::function<void(Finisher)> finish_;
  std::atomic<bool> busy_{false};
  std::atomic<bool> closed_{false};
  std::atomic<GroupMembership> wanted_{GroupMembership::automatic};
  std::atomic<std::thread::id> listener_{};
  bool is_finished_ = false;  // Under busy_.
};

}  // namespace seriatim::consumer
