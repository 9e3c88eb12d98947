// Back pressure: a journal at its limit lets no commit begin before a checkpoint has made room.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include <seriatim/result.hpp>

#include "base/counter.hpp"
#include "base/mutex.hpp"

namespace seriatim::directory {

/// Threads: any.
class JournalLimit {
 public:
  struct Environment {
    std::uint64_t limit_bytes = 0;
    std::function<std::uint64_t()> bytes_in_use{};
    std::function<Result<>()> checkpoint{};
  };
  explicit JournalLimit(Environment environment) : environment_(std::move(environment)) {}

  /// To be passed before a frame is staged, with no lock that a checkpoint takes. At the limit it waits for a
  /// checkpoint that began since, or makes it.
  /// Errors: those of the checkpoint, if it made no room: nothing was written · storage_full: it was made,
  /// and there is no room.
  Result<> admit() {
    if (!is_reached_.load(std::memory_order_relaxed)) [[likely]]
      return {};
    return wait_for_room();
  }
  /// To be called when the journal has become longer or shorter. Room ends the wait of everybody who waits
  /// for it, whoever made it.
  void look();
  /// How many commits have waited.
  std::uint64_t waits() const noexcept { return waits_.value(); }

  /// A claim of the calling thread, for as long as this lives: a checkpoint would wait for it, so that this
  /// thread waits for no checkpoint.
  class Claiming {
   public:
    Claiming() noexcept { ++claims; }
    ~Claiming() { --claims; }
    Claiming(const Claiming&) = delete;
    Claiming& operator=(const Claiming&) = delete;
  };

 private:
  bool is_reached_now() const { return environment_.bytes_in_use() >= environment_.limit_bytes; }
  Result<> wait_for_room();
  void make_checkpoint() SERIATIM_REQUIRES(mutex_) SERIATIM_NO_THREAD_SAFETY_ANALYSIS;
  Error refusal() const SERIATIM_REQUIRES(mutex_);

  static thread_local std::uint32_t claims;

  const Environment environment_;
  std::atomic<bool> is_reached_{false};
  base::Counter waits_;
  base::Mutex mutex_;
  base::ConditionVariable ended_one_;
  std::uint64_t begun_ SERIATIM_GUARDED_BY(mutex_) = 0;  ///< Checkpoints made here.
  std::uint64_t ended_ SERIATIM_GUARDED_BY(mutex_) = 0;
  Result<> last_ SERIATIM_GUARDED_BY(mutex_);  ///< How the last one ended.
};

}  // namespace seriatim::directory
