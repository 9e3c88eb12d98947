// The topics of an open directory: which there are, their settings, their partitions, which are opened when
// they are first used, and every change of them. A change is in the catalog, durable, before it takes effect
// in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/admin.hpp>
#include <seriatim/engine.hpp>
#include <seriatim/result.hpp>
#include <seriatim/topic_config.hpp>
#include <seriatim/types.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "directory/topics/deleted_segments.hpp"
#include "directory/topics/topic.hpp"
#include "directory/upkeep/reserve.hpp"
#include "os/file/fd_cache.hpp"
#include "os/vfs.hpp"
#include "partition/partition.hpp"
#include "partition/partition_log.hpp"

namespace seriatim::directory {

/// A partition to be opened.
struct PartitionPlace {
  TopicPartition name{};
  catalog::Id topic_id{};
  TopicConfig config{};
  std::string path{};
};

/// The parts of the engine around them. All of them outlive them.
struct TopicsEnvironment {
  std::optional<catalog::Catalog>& catalog;  ///< There when anything is asked.
  os::Vfs& vfs;
  os::FdCache& files;
  const base::Clock& clock;
  Reserve& reserve;
  std::string directory{};      ///< For messages.
  std::string log_directory{};  ///< That of the partitions' directories.
  bool is_read_only = false;
  /// ok, or why nothing can be done.
  std::function<Result<>()> check_usable{};
  std::function<Result<partition::PartitionLogPtr>(const PartitionPlace&)> open_partition{};
  /// Is told of a topic that was deleted, before its name can be another's.
  std::function<void(const catalog::Id&)> forget_topic{};
  /// Is told when topics or partitions have come or gone.
  std::function<void()> tell_groups{};
  std::function<void(LogLevel, std::string_view)> report{};
};

/// Threads: any. Lock order: the mutex, then a partition slot's, then the partition's.
/// Errors of every function, beside its own: as check_usable and the catalog.
class Topics {
 public:
  explicit Topics(TopicsEnvironment environment)
      : environment_(std::move(environment)), registry_(std::make_shared<const TopicMap>()) {}

  /// The topics that are known at this moment.
  TopicRegistry::Ptr load() const { return registry_.load(); }
  /// Of what `load` returns: increases with every change.
  std::uint64_t version() const noexcept { return registry_.version(); }
  /// The topic of that name; in a read-only engine looks into the catalog if it is not known as it is there.
  /// Errors: unknown_topic_or_partition with the nearest name.
  Result<TopicPtr> find(std::string_view name) SERIATIM_EXCLUDES(mutex_);
  /// A partition of a topic that was looked up, open.
  /// Errors: unknown_topic_or_partition; those of opening.
  Result<partition::PartitionLogPtr> partition_log(const TopicPtr& topic, PartitionId partition);
  /// All partitions that are open for writing now.
  std::vector<partition::PartitionPtr> open_partitions() const;
  /// Log bytes of deleted topics that readers still hold.
  std::uint64_t pinned_deleted_bytes() const { return deleted_segments_.pinned_bytes(); }

  // Opening a directory.

  /// Takes the topics in that the catalog has.
  Result<> read_catalog();
  /// Removes the files of all topics that the catalog calls deleted.
  Result<> finish_deletions();
  /// @return where each partition ends.
  Result<std::map<TopicPartition, Offset>> open_all_partitions();

  // Changes, of a writer.

  /// @param topic  whose name and count are legal.
  /// @param config  the settings that its overrides make.
  /// Errors: topic_already_exists; invalid_topic: the name is the library's own.
  Result<TopicCreation> create(const NewTopic& topic, const TopicConfig& config) SERIATIM_EXCLUDES(mutex_);
  /// Returns when its files are gone.
  /// Errors: unknown_topic_or_partition.
  Result<> remove(std::string_view name) SERIATIM_EXCLUDES(mutex_);
  /// Errors: unknown_topic_or_partition; invalid_partitions.
  Result<> add_partitions(std::string_view name, PartitionId total_count) SERIATIM_EXCLUDES(mutex_);
  /// Errors: unknown_topic_or_partition; invalid_config.
  Result<> set_config(std::string_view name, const ConfigMap& config) SERIATIM_EXCLUDES(mutex_);
  /// Errors: unknown_topic_or_partition; invalid_config.
  Result<> reset_config(std::string_view name, const std::vector<std::string>& settings)
      SERIATIM_EXCLUDES(mutex_);
  /// Takes a topic in as `record` says, once `store` has brought that to the catalog; its open partitions
  /// learn the settings.
  Result<> take_in(const catalog::TopicRecord& record, const std::function<Result<>()>& store)
      SERIATIM_REQUIRES(mutex_);

  /// Held by one change at a time: no topic is created, changed or deleted by somebody else meanwhile.
  base::Mutex& mutex() const SERIATIM_THREAD_ANNOTATION(lock_returned(mutex_)) { return mutex_; }
  /// Waits until no deletion is under way.
  void await_deletions() SERIATIM_REQUIRES(mutex_);
  /// Closes all slots: from then on nothing is opened.
  /// @param why  is answered to whoever tries.
  /// @return the partitions that were open.
  std::vector<partition::PartitionPtr> close(const Error& why);

 private:
  using Names = std::set<std::string, std::less<>>;

  /// find, of a read-only engine: the writer may have made, changed or deleted it since somebody looked.
  /// Nothing: the catalog has none of that name.
  Result<std::optional<TopicPtr>> look_up(std::string_view name) SERIATIM_EXCLUDES(mutex_);
  /// The topic that is known, and the engine may be used.
  Result<TopicPtr> known(std::string_view name) const;
  Error unknown_topic(std::string_view name) const;
  TopicPtr make_topic(const catalog::TopicRecord& record, const Topic* previous);
  /// @param id  the topic that is meant: one of the same name may have taken its place.
  Result<partition::PartitionLogPtr> open_partition(const std::string& name, const catalog::Id& id,
                                                    PartitionId partition) const;
  /// Checks, stores and applies a topic's overrides.
  Result<> change_overrides(std::string_view name, const std::map<std::string, std::string>& overrides)
      SERIATIM_REQUIRES(mutex_);
  /// Takes a topic out of the catalog and of memory. From here on its name is in `deleting_`.
  /// @param noted  holds the name: behind the mark in the catalog no memory may be missing for it.
  Result<TopicPtr> begin_deletion(std::string_view name, Names& noted) SERIATIM_EXCLUDES(mutex_);
  void end_deletion(const std::string& name) SERIATIM_EXCLUDES(mutex_);
  /// Ends the use of a deleted topic's files: waits for a step of maintenance that runs, without the mutex.
  void let_go_of(const Topic& topic) SERIATIM_EXCLUDES(mutex_);
  /// Removes the files of deleted topics of this name. With the mutex held.
  Result<> finish_deletion_of(const std::string& name);
  Result<> finish_deletion(const catalog::TopicRecord& deleted);

  const TopicsEnvironment environment_;
  mutable base::Mutex mutex_;
  TopicRegistry registry_;  ///< Is stored to with the mutex held, or before the engine is open.
  /// Topics that are deleted and whose files may be in use. Until `deletion_ended_` nobody takes the name,
  /// and the catalog stays open.
  Names deleting_ SERIATIM_GUARDED_BY(mutex_);
  base::ConditionVariable deletion_ended_;
  mutable DeletedSegments deleted_segments_;
};

}  // namespace seriatim::directory
