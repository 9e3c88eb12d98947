// The implementation behind every public handle: the engine's parts in the order in which they are opened,
// and closed in reverse.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <seriatim/engine.hpp>

#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "catalog/catalog.hpp"
#include "directory/checkpointer.hpp"
#include "directory/facts/transactional_id_facts.hpp"
#include "directory/producer_ids.hpp"
#include "directory/recovery/journal_replay.hpp"
#include "directory/recovery/log_moment.hpp"
#include "directory/topics/topics.hpp"
#include "directory/upkeep/journal_limit.hpp"
#include "directory/upkeep/prefault_queue.hpp"
#include "directory/upkeep/reserve.hpp"
#include "group/committed_offsets.hpp"
#include "group/membership/group_coordinator.hpp"
#include "group/share/share_groups.hpp"
#include "journal/journal.hpp"
#include "os/file/fd_cache.hpp"
#include "os/lock/dir_lock.hpp"
#include "os/vfs.hpp"
#include "partition/partition_environment.hpp"
#include "partition/visibility_gate.hpp"
#include "segment/map_cache.hpp"
#include "state/state_tables.hpp"
#include "transaction/transaction_coordinator.hpp"

namespace seriatim::delivery {
class DeliveryThread;
}
namespace seriatim::directory {
class Background;
class CountersFile;
struct CatalogPart;
}  // namespace seriatim::directory

namespace seriatim {
inline namespace v0 {
namespace detail {

/// Counters that belong to no partition.
struct EngineCounters {
  base::Counter refused_appends;
  base::Counter sent_bytes;
  base::Counter offset_commits;
  base::Counter background_errors;
  base::Counter buffered_bytes_added;
  base::Counter buffered_bytes_removed;
};

/// Threads: any, except construction. Handles hold it by shared_ptr.
struct EngineImpl : std::enable_shared_from_this<EngineImpl> {
  EngineImpl(std::filesystem::path directory, EngineOptions options, os::Vfs& vfs, const base::Clock& clock);
  ~EngineImpl();
  EngineImpl(const EngineImpl&) = delete;
  EngineImpl& operator=(const EngineImpl&) = delete;

  /// The seam for tests: another file system, another clock.
  /// @param salvages  a damaged journal does not end it: what can be read is replayed. For repair.
  static Result<std::shared_ptr<EngineImpl>> open(const std::filesystem::path& dir, EngineOptions options,
                                                  os::Vfs& vfs, const base::Clock& clock,
                                                  bool salvages = false);
  /// The deleter of the last shared_ptr: like `delete`, but on the delivery thread, which the destructor
  /// joins, later.
  static void destroy(EngineImpl* engine) noexcept;
  directory::TopicsEnvironment topics_environment();
  static Engine handle(std::shared_ptr<EngineImpl> impl) noexcept { return Engine(std::move(impl)); }
  static const std::shared_ptr<EngineImpl>& of(const Engine& engine) noexcept { return engine.impl_; }

  bool is_read_only() const noexcept { return options.mode == OpenMode::read_only; }
  /// ok, or why nothing can be done: closed, or this is a forked child.
  Result<> check_usable() const;
  /// check_usable, and read_only.
  Result<> check_writable() const;

  /// As Topics::find.
  Result<directory::TopicPtr> topic(std::string_view name) { return topics.find(name); }
  /// The partition, open.
  Result<partition::PartitionLogPtr> partition_log(std::string_view topic, PartitionId partition);
  /// The same, for writing.
  Result<partition::PartitionPtr> partition(std::string_view topic, PartitionId partition);

  /// Reports a failure or finding that no call can return.
  void report(LogLevel level, std::string_view line) const noexcept;
  // engine_journal.cpp
  /// Waits until the frame is on stable storage (`all`), or survives the process (`leader`).
  Result<> acknowledge(std::uint64_t lsn, Acks acks);
  void make_checkpointer(std::uint64_t covered_lsn);
  Result<> open_coordinator();
  /// Forgets transactional ids that nobody has used for long.
  Result<> expire_transactional_ids();
  /// Syncs every partition.
  Result<> flush();
  Result<> close();
  /// Ends the threads, and what they would go on with.
  Result<> stop_work();
  /// @param ended  whether all transactions could be ended; else the close is not clean, and recovery ends
  /// them.
  Result<> close_partitions(const Result<>& ended);

  // Opening, in this order: engine_open.cpp.
  Result<> open_directory();
  Result<> open_catalog();
  Result<> replay_journal();
  Result<> check_parts(const directory::CatalogPart& part, const journal::JournalContents& contents);
  /// Recovery, with the partitions open: whether the journal has the decisions that it should have.
  Result<> check_markers();
  Result<> go_on_from_markers();
  Result<> begin_run(const journal::JournalContents& contents);
  Result<> open_journal(const journal::JournalContents& contents);
  Result<> recover_after_crash();
  Result<> begin_writing();
  void settle_directory();
  Result<> start_threads();

  segment::LastStop last_stop() const noexcept;
  Result<partition::PartitionLogPtr> open_partition(const directory::PartitionPlace& place);
  std::string log_directory() const;

  const std::filesystem::path directory;
  const EngineOptions options;
  os::Vfs& vfs;
  const base::Clock& clock;
  const std::uint64_t opened_in;  ///< os::fork_generation() at open.

  EngineCounters counters;
  partition::PartitionCounters partition_counters;
  partition::StorageHealth health;
  partition::VisibilityGate visibility_gate;
  os::FdCache files;
  segment::MapCache maps;
  std::unique_ptr<directory::PrefaultQueue> prefault_queue;  ///< Emptied by `background`.
  directory::Reserve reserve;                                ///< Of a writer.
  partition::PartitionEnvironment environment;

  std::unique_ptr<journal::Journal> journal;  ///< Of a writer.
  directory::JournalLimit journal_limit;      ///< The gate that a writer's commits pass first.
  catalog::JournalTie journal_tie;            ///< Of this run, as it began.
  catalog::Id directory_id{};                 ///< Of a writer.
  directory::LogMoments moments;              ///< Of a writer; under the topics' mutex.
  group::CommittedOffsets committed_offsets;
  group::GroupCoordinator groups;  ///< Of a writer.
  group::ShareGroups share_groups;
  state::StateTables state_tables;
  directory::TransactionalIdFacts transactional_id_facts;
  /// All that the journal tells and the catalog is the home of: a new kind is entered here.
  const std::vector<state::DurableFacts*> facts{&committed_offsets, &transactional_id_facts, &state_tables,
                                                &share_groups};
  std::unique_ptr<directory::JournalReplay> replay;       ///< While the engine is being opened.
  std::unique_ptr<directory::Checkpointer> checkpointer;  ///< Of a writer.

  os::DirLock lock;
  std::optional<catalog::Catalog> catalog;
  directory::Topics topics;
  base::Mutex close_mutex;  ///< A second caller of close returns when the first is done.
  bool was_clean = false;
  struct {
    bool is_done = false;  ///< Every step succeeded: what an end has to close.
    bool salvages_journal = false;
  } opening{};
  struct {
    bool is_mapped = true;               ///< Appends go through the map.
    bool keeps_allocated_blocks = true;  ///< The file system of the directory.
  } writes{};
  std::atomic<bool> closed{false};
  directory::ProducerIds producer_ids;
  std::unique_ptr<transaction::TransactionCoordinator> coordinator;  ///< Of a writer.

  std::unique_ptr<directory::CountersFile> counters_file;
  std::unique_ptr<delivery::DeliveryThread> delivery;
  std::unique_ptr<directory::Background> background;
};

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
