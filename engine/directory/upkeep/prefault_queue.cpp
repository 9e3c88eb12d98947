#include "directory/upkeep/prefault_queue.hpp"

#include <utility>

namespace seriatim::directory {

void PrefaultQueue::request(segment::SegmentPtr segment) noexcept {
  {
    const base::MutexLock lock(mutex_);
    if (stopped_ || count_ == capacity) return;
    waiting_[(first_ + count_) % capacity] = std::move(segment);
    ++count_;
  }
  changed_.notify_one();
}

void PrefaultQueue::request_journal_file() noexcept {
  {
    const base::MutexLock lock(mutex_);
    is_file_wanted_ = true;
  }
  changed_.notify_one();
}

bool PrefaultQueue::take_journal_request() noexcept {
  const base::MutexLock lock(mutex_);
  return std::exchange(is_file_wanted_, false);
}

void PrefaultQueue::wake() noexcept {
  {
    const base::MutexLock lock(mutex_);
    is_woken_ = true;
  }
  changed_.notify_one();
}

segment::SegmentPtr PrefaultQueue::take() {
  const base::MutexLock lock(mutex_);
  while (count_ == 0 && !stopped_ && !is_file_wanted_ && !is_woken_) changed_.wait(mutex_);
  is_woken_ = false;
  if (count_ == 0) return nullptr;
  segment::SegmentPtr taken = std::move(waiting_[first_]);
  first_ = (first_ + 1) % capacity;
  --count_;
  return taken;
}

void PrefaultQueue::stop() noexcept {
  std::array<segment::SegmentPtr, capacity> forgotten;  // destroyed after the lock
  {
    const base::MutexLock lock(mutex_);
    stopped_ = true;
    count_ = 0;
    forgotten.swap(waiting_);
  }
  changed_.notify_one();
}

}  // namespace seriatim::directory
