// The changes that the next open for writing will make to a data directory, partition by partition: for
// `verify`, which must not take for damage what that open heals, and for `repair`, which says beforehand what
// it does.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <seriatim/inspect.hpp>
#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/clock.hpp"
#include "catalog/catalog.hpp"
#include "directory/recovery/journal_replay.hpp"
#include "os/file/fd_cache.hpp"
#include "os/file/overlay_vfs.hpp"
#include "partition/recovery/recovery_preview.hpp"
#include "segment/map_cache.hpp"

namespace seriatim::directory {

struct RecoveryPlanOptions {
  catalog::Id directory_id{};
  /// The caller has the directory's lock. Else there is no plan while somebody has it: the files change.
  bool is_locked_by_caller = false;
  bool salvages = false;  ///< As `journal::ReadOptions::salvages`.
};

/// Reads; what it changes is in memory. One thread.
class RecoveryPlan {
 public:
  RecoveryPlan(os::Vfs& vfs, std::string directory);

  /// Reads the journal and looks at every partition. Without it, or after an error, there is no plan.
  /// Errors: those of reading the journal, its damage among them, and the catalog.
  Result<> make(const catalog::Catalog& catalog, const RecoveryPlanOptions& options);

  /// nullptr: there is no plan for it, or it stays as it is.
  const partition::RecoveryPreview* find(const std::string& topic, PartitionId partition) const;
  /// Why the next open will fail at this partition, if it will.
  const Error* failure(const std::string& topic, PartitionId partition) const;
  /// Why the next open will refuse the directory as a whole, if it will: commits in the logs that the journal
  /// should have and has not. The previews are of a repair then.
  const std::optional<Error>& misfit() const noexcept { return misfit_; }
  /// The files of partitions that have a preview, as the open will leave them.
  os::Vfs& files() noexcept { return overlay_; }
  /// Frames of the journal that will be brought home.
  std::uint64_t frames() const noexcept { return frames_; }
  /// Whether the open aborts a transaction that it finds open, with this epoch of its producer.
  bool will_abort(ProducerId producer_id, ProducerEpoch epoch) const;

 private:
  Result<bool> read_journal(const catalog::Catalog& catalog, const RecoveryPlanOptions& options,
                            const std::vector<catalog::TopicRecord>& topics);
  Result<> look_at(const catalog::Catalog& catalog, const catalog::TopicRecord& topic);
  segment::LastStop last_stop() const;

  os::Vfs& vfs_;
  const std::string directory_;
  os::OverlayVfs overlay_;
  os::FdCache files_;
  segment::MapCache maps_;
  partition::StorageHealth health_;
  partition::PartitionCounters counters_;
  partition::PartitionEnvironment environment_;
  std::optional<JournalReplay> replay_;
  bool was_clean_ = false;
  bool had_settled_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t stored_lsn_ = 0;
  std::optional<Error> misfit_;
  std::map<TopicPartition, partition::RecoveryPreview> previews_;
  std::map<TopicPartition, Error> failures_;
};

/// "offsets 3 to 7", for messages.
std::string offsets_text(const Finding& finding);

}  // namespace seriatim::directory
