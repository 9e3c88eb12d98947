#include "directory/topics/topic.hpp"

#include "base/assert.hpp"

namespace seriatim::directory {

Result<> Topic::check_partition(PartitionId partition) const {
  if (partition >= 0 && partition < partition_count()) return {};
  return Error(Errc::unknown_topic_or_partition, "topic " + name + " has partitions 0 to " +
                                                     std::to_string(partition_count() - 1) + ", not " +
                                                     std::to_string(partition));
}

Result<Offset> Topic::log_end_offset(PartitionId partition) const {
  if (auto there = check_partition(partition); !there) return there.error();
  auto log = partitions[static_cast<std::size_t>(partition)]->log();
  if (!log) return log.error();
  return (*log)->log_end_offset();
}

Result<partition::PartitionLog*> PartitionSlot::log() {
  if (partition::PartitionLog* ready = ready_.load(std::memory_order_acquire)) return ready;
  auto opened = log_ptr();
  if (!opened) return opened.error();
  return opened->get();
}

Result<partition::PartitionLogPtr> PartitionSlot::log_ptr() {
  const base::MutexLock lock(mutex_);
  if (log_ == nullptr) {
    if (closed_) return *closed_;
    auto opened = opener_();
    if (!opened) return opened.error();
    log_ = *std::move(opened);
    ready_.store(log_.get(), std::memory_order_release);
  }
  return log_;
}

partition::PartitionLogPtr PartitionSlot::if_open() const {
  // One that is being opened holds the mutex while it reads and writes.
  if (ready_.load(std::memory_order_acquire) == nullptr) return nullptr;
  const base::MutexLock lock(mutex_);
  return log_;
}

partition::PartitionLogPtr PartitionSlot::close(Error why) {
  const base::MutexLock lock(mutex_);
  closed_ = std::move(why);
  return log_;
}

void PartitionSlot::reopen() {
  const base::MutexLock lock(mutex_);
  SERIATIM_ASSERT(log_.use_count() <= 1);
  ready_.store(nullptr, std::memory_order_release);
  log_.reset();
}

}  // namespace seriatim::directory
