// The window of a share group over one partition: from the first record that is not done to the last that was
// ever delivered. Every step has two stages: a plan, which looks and changes nothing, and the change, which
// is applied once the journal has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "group/share/share_runs.hpp"
#include "group/share/share_types.hpp"

namespace seriatim::group {

/// The new state that a plan has for a part of the window.
struct ShareChange {
  std::vector<WindowRun> runs{};  ///< Ascending; each takes the place of what is known of its offsets.
  /// Everything below is done; nothing: it stays, but for runs that are done at the window's beginning.
  std::optional<Offset> start_offset{};
  bool empty() const noexcept { return runs.empty() && !start_offset; }
};

/// The rules, of one moment, for a record that comes back.
struct ReturnRules {
  std::int64_t now_ms = 0;
  std::int16_t delivery_count_limit = 5;
  bool writes_letters = false;  ///< Then a death is `archiving` first; else `archived` at once.
  /// When a record that was delivered so often may be delivered again; nullptr: at once.
  std::int64_t (*due_ms)(const void* context, std::int64_t now_ms, std::int16_t delivery_count) = nullptr;
  const void* context = nullptr;
};

struct AcquireRequest {
  ShareMemberId member = 0;
  std::int64_t now_ms = 0;
  std::int64_t lock_end_ms = 0;
  std::int64_t max_records = 1;  ///< At least 1.
  std::int16_t delivery_count_limit = 5;
  std::int64_t max_record_locks = 2000;
};

/// Records that were read from `fresh_offset` on. Offsets between them hold no record for this group.
struct FreshRecords {
  Offset from = 0;  ///< The window's `fresh_offset` when they were read.
  Offset end = 0;   ///< One past what was looked at.
  /// Ascending, within from .. end; empty: only a gap. Each is acquired whole or not at all: a batch, or one
  /// record where batches may be split. One may begin right behind another.
  std::vector<OffsetRun> runs{};
};

struct Acknowledgement {
  OffsetRun offsets{};
  Acknowledging type = Acknowledging::accept;
};

/// Threads: none of its own; its holder has a lock.
/// Cost: O(log n) in the runs of the window for each run that an answer or a change touches. O(n) for counts,
/// for a member that left and, only where a run has returned or a lock is over, for a look at these.
class ShareWindow {
 public:
  explicit ShareWindow(Offset start_offset) noexcept : start_(start_offset), fresh_(start_offset) {}
  /// A restart lets go of every lock: an acquired run comes back acquired by nobody, its lock over.
  explicit ShareWindow(const DeliveryProgress& stored);

  Offset start_offset() const noexcept { return start_; }
  /// From here on nothing was delivered.
  Offset fresh_offset() const noexcept { return fresh_; }
  /// All from `start_offset` to `fresh_offset`, without a hole.
  const ShareRuns& runs() const noexcept { return runs_; }
  /// The part that lasts. An archiving run is told as acquired.
  DeliveryProgress progress() const;
  /// Finished offsets behind `start_offset`.
  std::int64_t finished() const noexcept;
  /// Acquired ones whose lock has not run out.
  std::int64_t acquired(std::int64_t now_ms) const noexcept;
  /// Whether a run may be delivered again now, or a lock is over.
  bool has_returned(std::int64_t now_ms) const noexcept;
  /// When that will next be so: the earliest end of a lock or of a wait behind `now_ms`.
  std::optional<std::int64_t> next_due_ms(std::int64_t now_ms) const noexcept;
  /// Whether records behind `fresh_offset` may be acquired: the window is not full.
  bool has_room(std::int64_t max_record_locks) const noexcept;

  /// Locks that are over.
  ShareChange plan_overdue(const ReturnRules& rules) const;
  /// Released records, in order: acquired by this change, with one delivery more. One whose next delivery is
  /// the last comes alone; one at half of its deliveries comes in ever smaller parts (kafka-groups 2.4).
  /// @param is_alone  set where nothing else of the partition may come in the same poll.
  ShareChange plan_released(const AcquireRequest& request, bool& is_alone) const;
  /// Records never delivered. Nothing: `fresh.from` is not `fresh_offset` any more. A change without
  /// acquired runs only moves over a gap; an empty one: the window is full.
  /// @param fresh  may hold more than `max_records`: each run that begins within the window's limit is
  ///   acquired, so the last one may exceed it. The others stay fresh. The caller decides whether a batch
  ///   is split.
  std::optional<ShareChange> plan_fresh(const AcquireRequest& request, const FreshRecords& fresh) const;
  /// The answers of a member, in any order. One for a record that the log has deleted is taken and
  /// changes nothing (kafka-groups 2.8).
  /// Errors: invalid_record_state: a record is not acquired by it, or its lock is over ·
  /// invalid_argument: two answers for one offset, or a run that ends before it begins. The whole call is
  /// refused then.
  Result<ShareChange> plan_acknowledge(ShareMemberId member, std::span<const Acknowledgement> answers,
                                       const ReturnRules& rules, std::int64_t renewed_lock_end_ms) const;
  /// All that a member holds comes back: it left.
  ShareChange plan_leave(ShareMemberId member, const ReturnRules& rules) const;
  /// Acquired offsets of a member that turned out to hold no record: done.
  /// @param gaps  in any order, as are `dead` below; offsets in another state are passed over.
  ShareChange plan_gaps(ShareMemberId member, std::span<const OffsetRun> gaps) const;
  /// Archiving runs whose letters are written: archived. So are those of `plan_not_buried`: a commit that was
  /// thought lost went on.
  ShareChange plan_buried(std::span<const OffsetRun> dead) const;
  /// Archiving runs whose letters could not be written: acquired by nobody until `retry_ms`. The plan for
  /// locks that are over then makes them archiving again, whatever their count.
  ShareChange plan_not_buried(std::span<const OffsetRun> dead, std::int64_t retry_ms) const;
  /// The log begins there: everything below is gone.
  ShareChange plan_log_start(Offset log_start) const;

  /// Takes the memory that `apply` needs for this change, before the journal has it: `apply` cannot fail
  /// then.
  void reserve(const ShareChange& change);
  /// Replaces what is known of the offsets of the change, and lets go of what is done at the beginning.
  void apply(const ShareChange& change);
  /// Of a replay: the same for stored runs, which may come in any state of the window. A start offset
  /// below the window's (or -1) moves nothing.
  void replay(const DeliveryProgress& told);

 private:
  /// Lets go of all below `offset`.
  void move_start(Offset offset);
  void let_go_of_finished();
  /// Makes a part of the window of what `run` has above the start. A hole before it was not delivered yet.
  void assign(const WindowRun& run);

  Offset start_;
  Offset fresh_;
  Offset log_start_ = 0;  ///< Below it the log deleted records of the window, as far as a change said so.
  ShareRuns runs_{};      ///< From start_ to fresh_ without a hole.
};

}  // namespace seriatim::group
