// A topic as the engine holds it: an immutable value, replaced as a whole when its configuration or partition
// count changes. The partitions behind it are shared between the versions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/admin.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "base/snapshot.hpp"
#include "catalog/records/catalog_records.hpp"
#include "partition/partition.hpp"
#include "partition/partition_log.hpp"

namespace seriatim::directory {

/// One partition of a topic, opened when it is first used: ten thousand idle topics cost no map and no
/// descriptor. Any thread.
class PartitionSlot {
 public:
  using Opener = std::function<Result<partition::PartitionLogPtr>()>;
  explicit PartitionSlot(Opener opener) : opener_(std::move(opener)) {}

  /// The partition, opening (and recovering) it if need be.
  /// Cost: an acquire load once it is open.
  Result<partition::PartitionLog*> log();
  /// The same with shared ownership.
  Result<partition::PartitionLogPtr> log_ptr();
  /// The partition if it is open, else nullptr; also while it is being opened, for which it does not wait.
  partition::PartitionLogPtr if_open() const;
  /// The partition if it is open; waits for one that is being opened. From then on nothing is opened.
  /// @param why  what is answered then.
  partition::PartitionLogPtr close(Error why);
  /// Lets go of the partition, which nobody else may have: the next look opens, and recovers, it again.
  void reopen();

 private:
  Opener opener_;
  std::atomic<partition::PartitionLog*> ready_{nullptr};
  mutable base::Mutex mutex_;
  partition::PartitionLogPtr log_ SERIATIM_GUARDED_BY(mutex_);
  std::optional<Error> closed_ SERIATIM_GUARDED_BY(mutex_);
};

struct Topic {
  std::string name{};
  catalog::Id id{};
  TopicConfig config{};
  ConfigMap overrides{};
  std::vector<std::shared_ptr<PartitionSlot>> partitions{};

  PartitionId partition_count() const noexcept { return static_cast<PartitionId>(partitions.size()); }
  /// Errors: unknown_topic_or_partition.
  Result<> check_partition(PartitionId partition) const;
  /// Of a partition, which is opened if need be; without shared ownership, which costs two locked
  /// instructions.
  /// Errors: as check_partition; those of opening.
  Result<Offset> log_end_offset(PartitionId partition) const;
};

using TopicPtr = std::shared_ptr<const Topic>;
using TopicMap = std::map<std::string, TopicPtr, std::less<>>;

/// All topics of an engine, by name: a snapshot that readers compare by version.
using TopicRegistry = base::Snapshot<TopicMap>;

}  // namespace seriatim::directory
