#include "consumer/append_watch.hpp"

#include <utility>

#include "base/boundary.hpp"

namespace seriatim::consumer {

void AppendWatch::watch(std::vector<partition::PartitionLogPtr> logs) {
  const base::MutexLock lock(mutex_);
  if (listens_) {
    for (const auto& log : watched_) log->listeners().remove(slot_);
    for (const auto& log : logs) log->listeners().add(slot_);
  }
  watched_ = std::move(logs);
}

void AppendWatch::end() noexcept {
  const base::MutexLock lock(mutex_);
  if (listens_) {
    for (const auto& log : watched_) log->listeners().remove(slot_);
  }
  watched_.clear();
  listens_ = false;
}

int AppendWatch::event_fd() noexcept {
  const int descriptor = slot_->event_fd();
  const base::MutexLock lock(mutex_);
  if (descriptor < 0 || listens_) return descriptor;
  std::size_t added = 0;
  const auto listening = base::answered([&]() SERIATIM_NO_THREAD_SAFETY_ANALYSIS -> Result<> {
    for (; added < watched_.size(); ++added) watched_[added]->listeners().add(slot_);
    return {};
  });
  if (!listening) {
    while (added > 0) watched_[--added]->listeners().remove(slot_);
    return -1;
  }
  listens_ = true;
  // No appender announces the records that are there already: the caller is woken to look for them.
  slot_->wake();
  return descriptor;
}

}  // namespace seriatim::consumer
