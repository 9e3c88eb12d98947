#include "group/share/share_window.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace seriatim::group {
namespace {

std::int64_t length(OffsetRun offsets) noexcept { return offsets.last - offsets.first + 1; }

/// A restart forgets who acquired it, and since when: its lock is over.
WindowRun restored(const DeliveredRun& stored) {
  WindowRun run{.delivered = stored};
  if (stored.state == DeliveryState::archiving) run.delivered.state = DeliveryState::acquired;
  if (!is_finished(stored.state)) run.batch_records = length(stored.offsets);
  return run;
}

DeliveryState lasting(DeliveryState state) noexcept {
  return state == DeliveryState::archiving ? DeliveryState::acquired : state;
}

bool is_untouched(const DeliveredRun& run) noexcept {
  return run.state == DeliveryState::available && run.delivery_count == 0;
}

}  // namespace

ShareWindow::ShareWindow(const DeliveryProgress& stored) : ShareWindow(stored.start_offset) {
  replay(stored);
}

DeliveryProgress ShareWindow::progress() const {
  DeliveryProgress told{.start_offset = start_};
  for (const auto& [first, run] : runs_) {
    DeliveredRun part = run.delivered;
    part.state = lasting(part.state);
    // Known from its neighbours; at the end only a run says how far records were delivered.
    if (is_untouched(part) && part.offsets.last + 1 != fresh_) continue;
    DeliveredRun* const before = told.runs.empty() ? nullptr : &told.runs.back();
    if (before != nullptr && before->offsets.last + 1 == first && before->state == part.state &&
        before->delivery_count == part.delivery_count) {
      before->offsets.last = part.offsets.last;
    } else {
      told.runs.push_back(part);
    }
  }
  return told;
}

std::int64_t ShareWindow::finished() const noexcept {
  std::int64_t count = 0;
  for (const auto& [first, run] : runs_) {
    if (is_finished(run.delivered.state)) count += length(run.delivered.offsets);
  }
  return count;
}

std::int64_t ShareWindow::acquired(std::int64_t now_ms) const noexcept {
  std::int64_t count = 0;
  for (const auto& [first, run] : runs_) {
    if (run.delivered.state == DeliveryState::acquired && run.lock_end_ms > now_ms)
      count += length(run.delivered.offsets);
  }
  return count;
}

bool ShareWindow::has_returned(std::int64_t now_ms) const noexcept {
  const std::optional<std::int64_t> earliest_ms = runs_.earliest_ms();
  return earliest_ms && *earliest_ms <= now_ms;
}

std::optional<std::int64_t> ShareWindow::next_due_ms(std::int64_t now_ms) const noexcept {
  if (!has_returned(now_ms)) return runs_.earliest_ms();
  std::optional<std::int64_t> next;
  for (const auto& [first, run] : runs_) {
    const std::optional<std::int64_t> at_ms = look_at_ms(run);
    if (at_ms && *at_ms > now_ms && (!next || *at_ms < *next)) next = at_ms;
  }
  return next;
}

bool ShareWindow::has_room(std::int64_t max_record_locks) const noexcept {
  return fresh_ - start_ < max_record_locks;
}

ShareChange ShareWindow::plan_log_start(Offset log_start) const {
  ShareChange change;
  if (log_start > start_) change.start_offset = log_start;
  return change;
}

void ShareWindow::reserve(const ShareChange& change) { runs_.reserve(change.runs.size()); }

void ShareWindow::apply(const ShareChange& change) {
  for (const WindowRun& run : change.runs) assign(run);
  if (change.start_offset) {
    log_start_ = std::max(log_start_, *change.start_offset);
    move_start(*change.start_offset);
  }
  let_go_of_finished();
  runs_.settle();
}

void ShareWindow::replay(const DeliveryProgress& told) {
  move_start(told.start_offset);
  for (const DeliveredRun& run : told.runs) assign(restored(run));
  let_go_of_finished();
  runs_.settle();
}

void ShareWindow::assign(const WindowRun& run) {
  OffsetRun offsets = run.delivered.offsets;
  offsets.first = std::max(offsets.first, start_);
  if (offsets.first > offsets.last) return;
  if (offsets.first > fresh_) {
    const OffsetRun skipped{fresh_, offsets.first - 1};
    runs_.assign(restored({.offsets = skipped}));
  }
  runs_.assign(run.at(offsets));
  fresh_ = std::max(fresh_, offsets.last + 1);
}

void ShareWindow::move_start(Offset offset) {
  if (offset <= start_) return;
  runs_.erase_below(offset);
  start_ = offset;
  fresh_ = std::max(fresh_, offset);
}

void ShareWindow::let_go_of_finished() {
  while (!runs_.empty() && is_finished(runs_.begin()->second.delivered.state)) {
    start_ = runs_.begin()->second.delivered.offsets.last + 1;
    runs_.erase_first();
  }
}

}  // namespace seriatim::group
