#include "delivery/delivery_thread.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/boundary.hpp"
#include "base/deadline.hpp"

namespace seriatim::delivery {
namespace {

struct Later {
  template <class T>
  bool operator()(const T& a, const T& b) const noexcept {
    return a.due_ns > b.due_ns;
  }
};

}  // namespace

DeliveryThread::DeliveryThread(const base::Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

DeliveryThread::~DeliveryThread() { stop(); }

void DeliveryThread::deliver(PendingDelivery pending) {
  std::vector<PendingDelivery> late;
  bool is_queued = true;
  {
    const base::MutexLock lock(mutex_);
    auto& taken = finished_ ? late : pending_;
    const auto queued = base::answered([&]() -> Result<> {
      taken.push_back(std::move(pending));
      return {};
    });
    if (queued && taken.size() == 1) wake_.notify_one();  // With more, it has been woken and not come yet.
    if (!queued) is_queued = false;
  }
  // No memory to hand it over: told here and now, as those who wait must not wait for ever.
  if (!is_queued) deliver_one(pending);
  // The engine was closed while this batch was being appended: nobody else would tell.
  deliver_all(std::move(late));
}

void DeliveryThread::wait_for(std::function<void()> wait) {
  {
    const base::MutexLock lock(mutex_);
    if (!finished_) {
      waits_.push_back(std::move(wait));
      if (waits_.size() == 1) wake_.notify_one();  // With more, it has been woken and not come yet.
      return;
    }
  }
  wait();
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

void DeliveryThread::adopt(std::function<void()> destroy_owner) {
  const base::MutexLock lock(mutex_);
  destroy_owner_ = std::move(destroy_owner);
  stopping_ = true;
  wake_.notify_all();
}

void DeliveryThread::run() {
  current_ = this;
  loop();
  if (!destroy_owner_) return;
  thread_.detach();
  // Taken out: what it destroys would be itself.
  const auto destroy_owner = std::exchange(destroy_owner_, nullptr);
  destroy_owner();
}

std::optional<DeliveryThread::Timer> DeliveryThread::take_due(std::int64_t now_ns) {
  if (timers_.empty() || timers_.front().due_ns > now_ns) return std::nullopt;
  std::pop_heap(timers_.begin(), timers_.end(), Later{});
  std::optional<Timer> due(std::move(timers_.back()));
  timers_.pop_back();
  return due;
}

void DeliveryThread::wait_for_work(std::int64_t now_ns) {
  if (timers_.empty()) {
    wake_.wait(mutex_);
  } else {
    wake_.wait_until(mutex_, base::deadline_after(std::chrono::nanoseconds(timers_.front().due_ns - now_ns)));
  }
}

void DeliveryThread::loop() {
  for (;;) {
    std::vector<PendingDelivery> pending;
    std::vector<std::function<void()>> waits;
    std::optional<Timer> due;
    std::int64_t now_ns = 0;
    {
      const base::MutexLock lock(mutex_);
      for (;;) {
        now_ns = stopping_ ? std::numeric_limits<std::int64_t>::max() : clock_.monotonic_ns();
        due = take_due(now_ns);
        pending = std::exchange(pending_, {});
        waits = std::exchange(waits_, {});
        if (due || !pending.empty() || !waits.empty()) break;
        // Only when nothing is left: what on_due appended, and what callbacks sent, comes round once more
        // before the end.
        finished_ = stopping_;
        if (finished_) return;
        wait_for_work(now_ns);
      }
    }
    if (due) {
      if (const auto item = due->item.lock()) item->on_due(now_ns);
    }
    deliver_all(std::move(pending));
    for (const auto& wait : waits) wait();
  }
}

// The waits of one partition, without a list of those of others.
void DeliveryThread::deliver_one(PendingDelivery& item) noexcept {
  const auto synced = base::answered([&]() -> Result<> {
    if (item.awaited.last_offset < 0) return {};
    return item.partition->wait_durable(item.awaited);
  });
  tell(item, synced);
}

void DeliveryThread::tell(PendingDelivery& item, const Result<>& synced) noexcept {
  for (std::size_t i = 0; i < item.deliveries.size(); ++i) {
    if (!synced.ok() && item.outcomes[i].ok()) {
      item.deliveries[i].complete(synced.error());
    } else {
      item.deliveries[i].complete(item.outcomes[i]);
    }
  }
}

// One wait per partition for all that waits there, then the outcomes in the order in which they came.
void DeliveryThread::deliver_all(std::vector<PendingDelivery> pending) {
  std::unordered_map<partition::Partition*, Result<>> syncs;
  const auto synced_together = base::answered([&]() -> Result<> {
    // The last batch of each partition: what makes it durable makes all before it durable.
    std::unordered_map<partition::Partition*, partition::PartitionAppend> last;
    for (const auto& item : pending) {
      if (item.awaited.last_offset < 0) continue;
      auto& latest = last[item.partition.get()];
      if (item.awaited.last_offset > latest.last_offset) latest = item.awaited;
    }
    for (const auto& [partition, appended] : last)
      syncs.emplace(partition, partition->wait_durable(appended));
    return {};
  });
  for (auto& item : pending) {
    const auto sync = syncs.find(item.partition.get());
    if (!synced_together) {
      deliver_one(item);
    } else {
      tell(item, item.awaited.last_offset < 0 || sync == syncs.end() ? Result<>() : sync->second);
    }
  }
}

}  // namespace seriatim::delivery
