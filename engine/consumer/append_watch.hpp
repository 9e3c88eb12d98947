// The wish to be told of appends while nobody polls: for the descriptor of a consumer.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.hpp"
#include "consumer/parker.hpp"
#include "partition/partition_log.hpp"

namespace seriatim::consumer {

/// Threads: any.
class AppendWatch {
 public:
  explicit AppendWatch(std::shared_ptr<Parker> slot) : slot_(std::move(slot)) {}

  /// The partitions to watch from here on.
  void watch(std::vector<partition::PartitionLogPtr> logs);
  /// Ends the watch.
  void end() noexcept;
  /// A descriptor that becomes readable with an append to any of them; -1 if none could be had.
  int event_fd() noexcept;

 private:
  const std::shared_ptr<Parker> slot_;
  base::Mutex mutex_;
  std::vector<partition::PartitionLogPtr> watched_ SERIATIM_GUARDED_BY(mutex_);
  bool listens_ SERIATIM_GUARDED_BY(mutex_) = false;
};

}  // namespace seriatim::consumer
