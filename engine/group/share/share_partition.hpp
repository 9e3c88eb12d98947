// `SharePartition`: what a share group knows of one partition, its frames in the journal and its row in the
// catalog. Its mutex orders both: the window is as the frames say, in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "base/mutex.hpp"
#include "catalog/records/table_writes.hpp"
#include "format/journal/journal_share.hpp"
#include "group/share/share_listener.hpp"
#include "group/share/share_types.hpp"
#include "group/share/share_window.hpp"
#include "journal/journal.hpp"

namespace seriatim::group {

class SharePartition;
using SharePartitionPtr = std::shared_ptr<SharePartition>;

/// The partitions that frames changed since a checkpoint took their rows.
/// Threads: any.
class ChangedSharePartitions {
 public:
  void add(SharePartitionPtr partition);
  /// Moves all of them. Takes no memory: none is lost on the way.
  void move_to(std::set<SharePartitionPtr>& to) noexcept;
  bool empty() const;

 private:
  mutable base::WordMutex mutex_;
  std::set<SharePartitionPtr> partitions_ SERIATIM_GUARDED_BY(mutex_);
};

/// The parts of the engine around a partition. All of them outlive it.
struct SharePartitionEnvironment {
  const std::unique_ptr<journal::Journal>& journal;  ///< Of a writer.
  ChangedSharePartitions& changed;
  /// To be passed before a frame is staged, without a lock: it may wait for a checkpoint.
  std::function<Result<>()> admit{};
};

/// A group's progress in a partition is begun, replaced or forgotten, and changed in between.
///
/// Threads: any. No function waits for the disk, but for `admit`.
/// Durability: each staged frame has an LSN, which the caller waits for as it needs it.
/// Errors of all that stage a frame: as Journal::stage, and of SharePartitionEnvironment::admit; the progress
/// is as it was then.
class SharePartition : public std::enable_shared_from_this<SharePartition> {
 public:
  SharePartition(SharePartitionEnvironment environment, std::string group, TopicPartition at,
                 const catalog::Id& topic_id);

  const std::string& group() const noexcept { return group_; }
  const TopicPartition& at() const noexcept { return at_; }
  const catalog::Id& topic_id() const noexcept { return topic_id_; }

  bool has_begun() const;
  /// Begins at `start_offset`, unless there is a progress.
  /// @return the frame's LSN; 0: there was one.
  Result<std::uint64_t> begin(Offset start_offset);
  /// Takes the place of all that is known, locks included.
  /// @return the frame's LSN.
  Result<std::uint64_t> replace(const DeliveryProgress& progress);
  /// @return the frame's LSN; 0: there was none.
  Result<std::uint64_t> forget();

  /// Makes what `plan` decides on the window as it is: Result<ShareChange>(const ShareWindow&). An empty
  /// change makes nothing. One frame tells what of it lasts.
  /// @return the frame's LSN; 0: nothing lasts, as of a renewed lock.
  /// Errors: those of `plan`; invalid_record_state: the progress was not begun, or is forgotten: nobody holds
  /// anything of it. invalid_state: the group is just being deleted.
  /// Cost: beside the plan O(log n) for each changed run; no allocation, once as many were changed before.
  template <class Plan>
  Result<std::uint64_t> change(Plan&& plan) {
    if (auto admitted = environment_.admit(); !admitted) return admitted.error();
    const base::MutexLock lock(mutex_);
    if (auto begun = check_begun(); !begun) return begun.error();
    const Result<ShareChange> planned = std::forward<Plan>(plan)(std::as_const(window_));
    if (!planned) return planned.error();
    return make(*planned);
  }
  /// Calls `look` with the window, which is empty at offset 0 while nothing has begun. Its result is copied.
  template <class Look>
  auto look(Look&& look) const {
    const base::MutexLock lock(mutex_);
    return std::forward<Look>(look)(std::as_const(window_));
  }
  /// Archiving runs are archived: their letters were committed by the decision `lsn`. Others of these offsets
  /// stay as they are, and all of them where a later frame has replaced the progress.
  void bury(std::span<const OffsetRun> dead, std::uint64_t lsn);

  /// Told of records that came back, of room in the window, and of a lock that ends before all others.
  void add_listener(std::shared_ptr<ShareListener> listener);
  void remove_listener(const std::shared_ptr<ShareListener>& listener);

  // For ShareGroups: opening and replays, by the thread that opens.

  void restore(const DeliveryProgress& stored);
  void replay(const format::JournalShareProgress& told, std::uint64_t lsn);
  /// @return whether it had anything at `log_end` or behind, which is gone.
  bool lower(Offset log_end);
  void replay_deaths(std::span<const format::ShareOffsets> dead, std::uint64_t lsn);

  // For ShareGroups: the end of a group, which one frame tells for all of its partitions.

  /// Nothing is changed from here on, until one of the next two.
  void hold();
  void go_on();
  void end(std::uint64_t lsn);

  /// For ShareGroups: adds the row to a checkpoint, or that there is none. From here on a change adds the
  /// partition to the changed ones again.
  /// @return the LSN of the newest frame that it has.
  std::uint64_t gather(catalog::TableWrites& to);
  /// For ShareGroups: whether there is neither progress nor a change that the next gathering would find.
  bool is_nothing() const;

 private:
  Result<> check_begun() const SERIATIM_REQUIRES(mutex_);
  Result<> check_not_held() const SERIATIM_REQUIRES(mutex_);
  Result<std::uint64_t> make(const ShareChange& change) SERIATIM_REQUIRES(mutex_);
  /// Stages frame_.
  Result<std::uint64_t> stage() SERIATIM_REQUIRES(mutex_);
  Result<std::uint64_t> put(const DeliveryProgress& progress) SERIATIM_REQUIRES(mutex_);
  void apply(const ShareChange& change) SERIATIM_REQUIRES(mutex_);
  void note_change() SERIATIM_REQUIRES(mutex_);
  void set_window(ShareWindow window, bool has_begun, std::uint64_t lsn) noexcept SERIATIM_REQUIRES(mutex_);

  const SharePartitionEnvironment environment_;
  const std::string group_;
  const TopicPartition at_;
  const catalog::Id topic_id_;

  mutable base::WordMutex mutex_;
  ShareWindow window_ SERIATIM_GUARDED_BY(mutex_);
  bool has_begun_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_held_ SERIATIM_GUARDED_BY(mutex_) = false;
  bool is_changed_ SERIATIM_GUARDED_BY(mutex_) = false;  ///< It is among environment_.changed.
  std::uint64_t newest_lsn_ SERIATIM_GUARDED_BY(mutex_) = 0;
  std::uint64_t replaced_lsn_ SERIATIM_GUARDED_BY(mutex_) = 0;  ///< Of the frame that the window began with.
  ShareListeners listeners_ SERIATIM_GUARDED_BY(mutex_);
  // Kept for their room.
  format::JournalShareProgress frame_ SERIATIM_GUARDED_BY(mutex_);
  std::vector<std::byte> payload_ SERIATIM_GUARDED_BY(mutex_);
};

}  // namespace seriatim::group
