// The one engine thread that tells producers what became of their records: it syncs what asynchronous `acks =
// all` sends and commits of positions wait for, drives lingering batches when they are due, and runs
// callbacks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <seriatim/producer.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "delivery/delivery.hpp"
#include "partition/partition.hpp"

namespace seriatim::delivery {

/// A batch of the log whose outcome is to be delivered.
struct PendingDelivery {
  partition::PartitionPtr partition{};
  /// Has to be durable first. Without a last offset: nothing to wait for.
  partition::PartitionAppend awaited{};
  std::vector<Delivery> deliveries{};
  std::vector<Result<RecordMetadata>> outcomes{};  ///< One per delivery, valid if the sync succeeds.
};

/// Something with a due time: a lingering batch.
class Lingering {
 public:
  virtual ~Lingering() = default;
  /// Appends what is due at `now_ns` of the monotonic clock: at or after the time it was scheduled for, the
  /// largest value when the engine is closed. On the delivery thread.
  virtual void on_due(std::int64_t now_ns) = 0;
};

class DeliveryThread {
 public:
  /// @param clock  lives longer than the thread.
  explicit DeliveryThread(const base::Clock& clock);
  ~DeliveryThread();
  DeliveryThread(const DeliveryThread&) = delete;
  DeliveryThread& operator=(const DeliveryThread&) = delete;

  /// Hands over a batch; in the order of these calls per partition, callbacks run. After the end of the
  /// thread, in the caller's. Any thread.
  void deliver(PendingDelivery pending);
  /// Calls `wait`, which waits for the disk and must not throw, on the thread, which has nobody else wait
  /// behind it: what it syncs, it syncs for all. After the end of the thread, in the caller's. Any thread.
  void wait_for(std::function<void()> wait);
  /// Calls `item` back at `due_ns` of the monotonic clock. Any thread.
  /// @return false if the thread has ended: nobody will call.
  [[nodiscard]] bool schedule(std::weak_ptr<Lingering> item, std::int64_t due_ns);
  /// Appends every lingering batch, syncs and delivers everything that was handed over, and ends the thread.
  /// Idempotent. Not on the thread itself.
  void stop();
  /// Whether the caller runs on this thread, that is inside a callback or a coroutine that a send resumed:
  /// waiting for deliveries there would be waiting for itself.
  bool is_current() const noexcept { return current_ == this; }
  /// Calls `destroy_owner`, which destroys this object with its owner, when the thread has finished: for the
  /// last handle being dropped on this thread, or on another one, that the owner's destructor joins.
  void adopt(std::function<void()> destroy_owner);

 private:
  struct Timer {
    std::int64_t due_ns;
    std::weak_ptr<Lingering> item;
  };
  void run();
  void loop();
  std::optional<Timer> take_due(std::int64_t now_ns) SERIATIM_REQUIRES(mutex_);
  void wait_for_work(std::int64_t now_ns) SERIATIM_REQUIRES(mutex_);
  static void deliver_all(std::vector<PendingDelivery> pending);
  static void deliver_one(PendingDelivery& item) noexcept;
  static void tell(PendingDelivery& item, const Result<>& synced) noexcept;

  static inline thread_local const DeliveryThread* current_ = nullptr;

  const base::Clock& clock_;
  std::function<void()> destroy_owner_;  // Set before stopping_, read after it.
  base::Mutex mutex_;
  base::ConditionVariable wake_;
  bool stopping_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool finished_ SERIATIM_GUARDED_BY(mutex_) = false;
  std::vector<PendingDelivery> pending_ SERIATIM_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> waits_ SERIATIM_GUARDED_BY(mutex_);
  std::vector<Timer> timers_ SERIATIM_GUARDED_BY(mutex_);  // a heap, earliest first
  std::thread thread_;
};

}  // namespace seriatim::delivery
