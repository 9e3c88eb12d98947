#include "directory/upkeep/job_queue.hpp"

namespace seriatim::directory {

bool JobQueue::push(std::size_t job) noexcept {
  {
    const base::MutexLock lock(mutex_);
    if (is_stopped_ || count_ == capacity) return false;
    waiting_[(first_ + count_) % capacity] = job;
    ++count_;
  }
  changed_.notify_one();
  return true;
}

std::size_t JobQueue::pop() noexcept {
  const std::size_t job = waiting_[first_];
  first_ = (first_ + 1) % capacity;
  --count_;
  return job;
}

std::optional<std::size_t> JobQueue::take() {
  const base::MutexLock lock(mutex_);
  while (count_ == 0) {
    if (is_stopped_) return std::nullopt;
    changed_.wait(mutex_);
  }
  return pop();
}

std::optional<std::size_t> JobQueue::take_ready() noexcept {
  const base::MutexLock lock(mutex_);
  if (count_ == 0) return std::nullopt;
  return pop();
}

void JobQueue::stop() noexcept {
  {
    const base::MutexLock lock(mutex_);
    is_stopped_ = true;
    count_ = 0;
  }
  changed_.notify_all();
}

}  // namespace seriatim::directory
