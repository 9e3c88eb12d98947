// Runs of offsets without a hole, each as long as it can be: what a share group knows of each offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <seriatim/types.hpp>

#include "group/share/share_types.hpp"

namespace seriatim::group {

/// A consumer of a share group, for the life of the engine; 0: nobody.
using ShareMemberId = std::uint64_t;

/// A run with the part of its state that a restart forgets.
struct WindowRun {
  DeliveredRun delivered{};
  ShareMemberId member = 0;      ///< Of an acquired or archiving run.
  std::int64_t lock_end_ms = 0;  ///< Of an acquired run, by the monotonic clock.
  std::int64_t due_ms = 0;       ///< Of an available run: not to be delivered before.
  std::int64_t batch_records =
      1;                      ///< Of the acquisition that it was first part of: the halving counts from it.
  bool is_condemned = false;  ///< Of an acquired run: it dies when its lock is over, whatever its count.
  bool is_rejected = false;   ///< Of an archiving or condemned run: by its member; else it came too often.
  bool operator==(const WindowRun&) const = default;

  /// The same state, of other offsets.
  WindowRun at(OffsetRun offsets) const {
    WindowRun other = *this;
    other.delivered.offsets = offsets;
    return other;
  }
};

/// When a run that waits for its time, or for the end of a lock, is to be looked at.
std::optional<std::int64_t> look_at_ms(const WindowRun& run) noexcept;
/// Whether two runs differ in nothing but their offsets.
bool are_alike(const WindowRun& left, const WindowRun& right) noexcept;
/// Appends a run, to the last one where it continues it.
void append_run(std::vector<WindowRun>& runs, const WindowRun& run);

/// Neighbours differ: two that are alike become one run, so that few runs hold many offsets.
/// Threads: none of its own.
/// Cost: O(log n) in the runs, for each run that a call touches. `settle` is O(n) where the last run of the
/// earliest time went: once for each millisecond at which something was acquired or released.
class ShareRuns {
 public:
  using Map = std::map<Offset, WindowRun>;  ///< By first offset.

  ShareRuns() = default;
  ShareRuns(ShareRuns&&) noexcept = default;
  ShareRuns& operator=(ShareRuns&&) noexcept = default;
  ~ShareRuns() = default;

  bool empty() const noexcept { return runs_.empty(); }
  std::size_t size() const noexcept { return runs_.size(); }
  Map::const_iterator begin() const noexcept { return runs_.begin(); }
  Map::const_iterator end() const noexcept { return runs_.end(); }
  /// The run that holds `offset`, or else the first one behind it.
  Map::const_iterator find(Offset offset) const noexcept;

  /// When the first run is to be looked at; nothing: none. As of the last `settle`.
  std::optional<std::int64_t> earliest_ms() const noexcept;

  /// Takes memory for so many calls of `assign`: they allocate nothing then.
  void reserve(std::size_t assigned);
  /// Replaces what is known of the offsets of `run`. The caller leaves no hole before it.
  void assign(const WindowRun& run);
  void erase_first();
  void erase_below(Offset offset);
  /// Ends a row of calls: finds the earliest time, and gives back what a large `reserve` left over.
  void settle() noexcept;

 private:
  using Iterator = Map::iterator;

  /// Removes these offsets. Returns the first run behind them.
  Iterator cut_out(OffsetRun offsets);
  /// Inserts a run right before `behind`; no run holds its offsets.
  Iterator insert(Iterator behind, const WindowRun& run);
  /// Removes a run and keeps its memory. Returns the one behind it.
  Iterator drop(Iterator run) noexcept;
  /// Lets a run begin later.
  Iterator begin_at(Iterator run, Offset first);
  void enter_time(const WindowRun& run) noexcept;
  void leave_time(const WindowRun& run) noexcept;

  Map runs_;
  std::vector<Map::node_type> spare_;
  std::optional<std::int64_t> earliest_ms_{};
  std::size_t earliest_runs_ = 0;  ///< To be looked at then. 0 with a time: nobody knows the next one yet.
};

}  // namespace seriatim::group
