// A partition as seen by a read-only process, beside a live writer or with none: it looks at the files and believes only whole, valid batches.
//
// The writer's memory cannot be seen from here, so the end of the log is found by walking from the last known end: a batch whose checksum fits is
// complete, anything else is the end for the moment. That costs one CRC per batch, once, and needs no agreement with the writer.
#pragma once

#include <memory>
#include <string>

#include <seriatim/result.hpp>

#include "base/mutex.hpp"
#include "partition/partition_log.hpp"

namespace seriatim::partition {

struct FollowerRequest {
  TopicPartition name{};
  std::string directory{};
  Offset log_start_offset = 0;
  bool may_have_gaps = false;
};

class Follower final : public PartitionLog {
 public:
  /// Looks at the directory for the first time.
  /// Errors: not_found (the writer has not made it yet), and those of the file system.
  static Result<std::shared_ptr<Follower>> open(const PartitionEnvironment& environment, const FollowerRequest& request);

  /// Finds new batches and segments, and forgets deleted ones. One thread at a time does the work, others return at once.
  Result<> refresh() override;
  /// Takes over a log start that the catalog says.
  void set_log_start(Offset offset) noexcept;

 private:
  Follower(const PartitionEnvironment& environment, const FollowerRequest& request);
  Result<> refresh_locked() SERIATIM_REQUIRES(mutex_);
  Result<bool> reload_list() SERIATIM_REQUIRES(mutex_);
  Result<> extend_last() SERIATIM_REQUIRES(mutex_);

  base::Mutex mutex_;
  Offset requested_start_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::partition
