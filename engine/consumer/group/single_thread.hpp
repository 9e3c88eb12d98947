// A consumer serves one thread at a time until it is closed, and says so to a second one. A listener that the
// application runs within a call may call again.
#pragma once

#include <atomic>
#include <thread>
#include <utility>

#include <seriatim/consumer.hpp>
#include <seriatim/result.hpp>

namespace seriatim::consumer {

/// Threads: any.
class SingleThread {
 public:
  /// Use by one thread. While it lives, every other one is refused.
  class Entry {
   public:
    /// @param busy  null: within a listener, whose call has entered already.
    explicit Entry(std::atomic<bool>* busy) noexcept : busy_(busy) {}
    Entry(Entry&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)) {}
    Entry& operator=(Entry&&) = delete;
    ~Entry() {
      if (busy_ != nullptr) busy_->store(false, std::memory_order_release);
    }

   private:
    std::atomic<bool>* busy_;
  };
  /// Errors: closed; invalid_state: another thread is inside.
  Result<Entry> enter() {
    if (is_closed())
      return Error(Errc::closed, "the consumer was closed; make a new one with Engine::consumer");
    if (!busy_.exchange(true, std::memory_order_acquire)) return Entry(&busy_);
    if (is_in_listener()) return Entry(nullptr);
    return Error(Errc::invalid_state,
                 "another thread is inside this consumer; a consumer serves one thread at a time, only "
                 "wakeup and event_fd may be called from others: give each thread its own");
  }
  /// Nobody enters from here on.
  void close(GroupMembership wanted) noexcept {
    wanted_.store(wanted, std::memory_order_relaxed);
    closed_.store(true, std::memory_order_release);
  }
  bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  /// As `close` was told.
  GroupMembership wanted_membership() const noexcept { return wanted_.load(std::memory_order_relaxed); }
  /// For the end of a close: nobody is inside, nor in a listener, and nobody comes.
  bool try_enter() noexcept { return !busy_.exchange(true, std::memory_order_acquire); }
  void leave() noexcept { busy_.store(false, std::memory_order_release); }

  /// While it lives, this thread may enter again.
  class Listening {
   public:
    explicit Listening(SingleThread& of) noexcept : of_(of) {
      of_.listener_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    ~Listening() { of_.listener_.store(std::thread::id(), std::memory_order_relaxed); }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

   private:
    SingleThread& of_;
  };
  /// Whether the caller is within a listener.
  bool is_in_listener() const noexcept {
    return listener_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  std::atomic<bool> busy_{false};
  std::atomic<bool> closed_{false};
  std::atomic<GroupMembership> wanted_{GroupMembership::automatic};
  std::atomic<std::thread::id> listener_{};
};

}  // namespace seriatim::consumer
