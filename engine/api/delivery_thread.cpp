#include "api/delivery_thread.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <unordered_map>
#include <utility>

#include "api/deadline.hpp"
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

DeliveryThread::DeliveryThread(detail::EngineImpl& engine) : engine_(engine), thread_([this] { run(); }) {}

DeliveryThread::~DeliveryThread() { stop(); }

void DeliveryThread::deliver(PendingDelivery pending) {
  std::vector<PendingDelivery> late;
  {
    const base::MutexLock lock(mutex_);
    auto& taken = finished_ ? late : pending_;
    taken.push_back(std::move(pending));
    if (taken.size() == 1) wake_.notify_one();  // With more, it has been woken and not come yet.
  }
  // The engine was closed while this batch was being appended: nobody else would tell.
  deliver_all(std::move(late));
}

bool DeliveryThread::schedule(std::weak_ptr<Lingering> item, std::int64_t due_ns) {
  const base::MutexLock lock(mutex_);
  if (finished_) return false;
  const bool earliest = timers_.empty() || due_ns < timers_.front().due_ns;
  timers_.push_back({due_ns, std::move(item)});
  std::push_heap(timers_.begin(), timers_.end(), Later{});
  if (earliest) wake_.notify_one();
  return true;
}

void DeliveryThread::stop() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DeliveryThread::adopt(detail::EngineImpl* engine) {
  orphan_ = engine;
  const base::MutexLock lock(mutex_);
  stopping_ = true;
}

void DeliveryThread::run() {
  current_ = this;
  loop();
  if (orphan_ == nullptr) return;
  thread_.detach();
  delete orphan_;
}

std::vector<DeliveryThread::Timer> DeliveryThread::take_due(std::int64_t now_ns) {
  std::vector<Timer> due;
  while (!timers_.empty() && timers_.front().due_ns <= now_ns) {
    std::pop_heap(timers_.begin(), timers_.end(), Later{});
    due.push_back(std::move(timers_.back()));
    timers_.pop_back();
  }
  return due;
}

void DeliveryThread::wait_for_work(std::int64_t now_ns) {
  if (timers_.empty()) {
    wake_.wait(mutex_);
  } else {
    wake_.wait_until(mutex_, deadline_after(std::chrono::nanoseconds(timers_.front().due_ns - now_ns)));
  }
}

void DeliveryThread::loop() {
  for (;;) {
    std::vector<PendingDelivery> pending;
    std::vector<Timer> due;
    std::int64_t now_ns = 0;
    {
      const base::MutexLock lock(mutex_);
      for (;;) {
        now_ns = stopping_ ? std::numeric_limits<std::int64_t>::max() : engine_.clock.monotonic_ns();
        due = take_due(now_ns);
        pending = std::exchange(pending_, {});
        if (!due.empty() || !pending.empty()) break;
        // Only when nothing is left: what on_due appended, and what callbacks sent, comes round once more
        // before the end.
        finished_ = stopping_;
        if (finished_) return;
        wait_for_work(now_ns);
      }
    }
    for (const auto& timer : due) {
      if (const auto item = timer.item.lock()) item->on_due(now_ns);
    }
    deliver_all(std::move(pending));
  }
}

// One wait per partition for all that waits there, then the outcomes in the order in which they came.
void DeliveryThread::deliver_all(std::vector<PendingDelivery> pending) {
  // The last batch of each partition: what makes it durable makes all before it durable.
  std::unordered_map<partition::Partition*, partition::PartitionAppend> last;
  for (const auto& item : pending) {
    if (item.awaited.last_offset < 0) continue;
    auto& latest = last[item.partition.get()];
    if (item.awaited.last_offset > latest.last_offset) latest = item.awaited;
  }
  std::unordered_map<partition::Partition*, Result<>> syncs;
  for (const auto& [partition, appended] : last) syncs.emplace(partition, partition->wait_durable(appended));
  for (auto& item : pending) {
    const auto sync = item.awaited.last_offset < 0 ? syncs.end() : syncs.find(item.partition.get());
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
