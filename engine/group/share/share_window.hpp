// The window of a share group over one partition: from the first record that is not done to the last that was
// ever delivered. Every step has two stages: a plan, which looks and changes nothing, and the change, which
// is applied once the journal has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <seriatim/result.hpp>
#include <seriatim/types.hpp>

#include "group/share/share_types.hpp"

namespace seriatim::group {

/// A consumer of a share group, for the life of the engine; 0: nobody.
using ShareMemberId = std::uint64_t;

/// A run with what does not last.
struct WindowRun {
  DeliveredRun delivered{};
  ShareMemberId member = 0;     ///< Of an acquired or archiving run.
  std::int64_t lock_end_ms = 0;  ///< Of an acquired run, by the monotonic clock.
  std::int64_t due_ms = 0;       ///< Of an available run: not to be delivered before.
  std::int64_t batch_records = 1;  ///< Of the acquisition that it was first part of: the halving counts from it.
};

/// What a plan makes of the window.
struct ShareChange {
  std::vector<WindowRun> runs{};  ///< Ascending; each takes the place of what is known of its offsets.
  /// Everything below is done; nothing: it stays, but for runs that are done at the window's beginning.
  std::optional<Offset> start_offset{};
  bool empty() const noexcept { return runs.empty() && !start_offset; }
};

/// What counts for a record that comes back, of one moment.
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
  Offset from = 0;               ///< The window's `fresh_offset` when they were read.
  Offset end = 0;                ///< One past what was looked at.
  std::vector<OffsetRun> runs{};  ///< Ascending, within from .. end; empty: only a gap.
};

struct Acknowledgement {
  OffsetRun offsets{};
  Acknowledging type = Acknowledging::accept;
};

/// Threads: none of its own; whoever holds it has a lock.
/// Cost: O(log n) in the runs of the window, for each run that a step touches.
class ShareWindow {
 public:
  explicit ShareWindow(Offset start_offset) noexcept : start_(start_offset), fresh_(start_offset) {}
  /// A restart lets go of every lock: an acquired run comes back acquired by nobody, its lock over.
  explicit ShareWindow(const DeliveryProgress& stored);

  Offset start_offset() const noexcept { return start_; }
  /// From here on nothing was delivered.
  Offset fresh_offset() const noexcept { return fresh_; }
  /// What of it lasts. An archiving run is told as acquired.
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
  /// Records never delivered. Nothing: `fresh.from` is not `fresh_offset` any more. A change without acquired
  /// runs only moves over a gap.
  /// @param fresh  may hold more than `max_records`: all are acquired where they fit into the window; the
  ///   caller decides whether a batch is split.
  std::optional<ShareChange> plan_fresh(const AcquireRequest& request, const FreshRecords& fresh) const;
  /// The answers of a member.
  /// Errors: invalid_record_state: a record is not acquired by it, or its lock is over; nothing changes then.
  Result<ShareChange> plan_acknowledge(ShareMemberId member, std::span<const Acknowledgement> answers,
                                       const ReturnRules& rules, std::int64_t renewed_lock_end_ms) const;
  /// All that a member holds comes back: it left.
  ShareChange plan_leave(ShareMemberId member, const ReturnRules& rules) const;
  /// Acquired offsets of a member that turned out to hold no record: done.
  ShareChange plan_gaps(ShareMemberId member, std::span<const OffsetRun> gaps) const;
  /// Archiving runs whose letters are written: archived.
  ShareChange plan_buried(std::span<const OffsetRun> dead) const;
  /// Archiving runs whose letters could not be written: acquired by nobody, to be tried again at `retry_ms`.
  ShareChange plan_not_buried(std::span<const OffsetRun> dead, std::int64_t retry_ms) const;
  /// The log begins there: everything below is gone.
  ShareChange plan_log_start(Offset log_start) const;

  /// Replaces what is known of the offsets of the change, and lets go of what is done at the beginning.
  void apply(const ShareChange& change);
  /// Of a replay: the same for stored runs, which may come in any state of the window.
  void replay(const DeliveryProgress& told);

 private:
  Offset start_;
  Offset fresh_;
  std::map<Offset, WindowRun> runs_;  ///< By first offset; adjacent, from start_ to fresh_.
};

}  // namespace seriatim::group
