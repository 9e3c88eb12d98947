#include "api/delivery_thread.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "api/engine_impl.hpp"

namespace seriatim::api {
namespace {

struct Later {
  template <class T>
  bool operator()(const T& a, const T& b) const noexcept {
    return a.due_ns > b.due_ns;
  }
};

}  // namespace

DeliveryThread::DeliveryThread(detail::EngineImpl& engine) : engine_(engine), thread_([this] { loop(); }) {}

DeliveryThread::~DeliveryThread() { stop(); }

void DeliveryThread::deliver(PendingDelivery pending) {
  const base::MutexLock lock(mutex_);
  pending_.push_back(std::move(pending));
  if (pending_.size() == 1) wake_.notify_one();  // With more, it has been woken and not come yet.
}

void DeliveryThread::schedule(std::weak_ptr<Lingering> item, std::int64_t due_ns) {
  const base::MutexLock lock(mutex_);
  const bool earliest = timers_.empty() || due_ns < timers_.front().due_ns;
  timers_.push_back({due_ns, std::move(item)});
  std::push_heap(timers_.begin(), timers_.end(), Later{});
  if (earliest) wake_.notify_one();
}

void DeliveryThread::stop() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::vector<DeliveryThread::Timer> DeliveryThread::take_due(std::int64_t now_ns, bool all) {
  std::vector<Timer> due;
  while (!timers_.empty() && (all || timers_.front().due_ns <= now_ns)) {
    std::pop_heap(timers_.begin(), timers_.end(), Later{});
    due.push_back(std::move(timers_.back()));
    timers_.pop_back();
  }
  return due;
}

void DeliveryThread::loop() {
  for (;;) {
    std::vector<PendingDelivery> pending;
    std::vector<Timer> due;
    bool stopping = false;
    {
      const base::MutexLock lock(mutex_);
      for (;;) {
        stopping = stopping_;
        const std::int64_t now_ns = engine_.clock.monotonic_ns();
        due = take_due(now_ns, stopping);
        pending = std::exchange(pending_, {});
        if (stopping || !due.empty() || !pending.empty()) break;
        if (timers_.empty()) {
          wake_.wait(mutex_);
        } else {
          wake_.wait_until(mutex_, std::chrono::steady_clock::now() + std::chrono::nanoseconds(timers_.front().due_ns - now_ns));
        }
      }
    }
    for (const auto& timer : due) {
      if (const auto item = timer.item.lock()) item->on_due();
    }
    const bool idle = due.empty() && pending.empty();
    deliver_all(std::move(pending));
    // What on_due appended, and what callbacks sent, comes round once more before the end.
    if (stopping && idle) return;
  }
}

// One sync per partition for all that waits there, then the outcomes in the order in which they came.
void DeliveryThread::deliver_all(std::vector<PendingDelivery> pending) {
  std::unordered_map<partition::Partition*, Offset> ends;
  for (const auto& item : pending) {
    if (item.sync_end < 0) continue;
    auto& end = ends[item.partition.get()];
    end = std::max(end, item.sync_end);
  }
  std::unordered_map<partition::Partition*, Result<>> syncs;
  for (const auto& [partition, end] : ends) syncs.emplace(partition, partition->sync_to(end));
  for (auto& item : pending) {
    const auto sync = item.sync_end < 0 ? syncs.end() : syncs.find(item.partition.get());
    const bool failed = sync != syncs.end() && !sync->second.ok();
    for (std::size_t i = 0; i < item.deliveries.size(); ++i) {
      if (failed && item.outcomes[i].ok()) {
        item.deliveries[i].complete(sync->second.error());
      } else {
        item.deliveries[i].complete(item.outcomes[i]);
      }
    }
  }
}

}  // namespace seriatim::api
