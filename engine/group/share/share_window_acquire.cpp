// The records that a member gets: released ones first, then fresh ones.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/assert.hpp"
#include "group/share/share_window.hpp"

namespace seriatim::group {
namespace {

std::int16_t one_more(std::int16_t delivery_count) noexcept {
  // A limit that was raised again and again: the number stays at its highest.
  constexpr std::int16_t highest = std::numeric_limits<std::int16_t>::max();
  return delivery_count == highest ? highest : static_cast<std::int16_t>(delivery_count + 1);
}

WindowRun acquired_run(const AcquireRequest& request, OffsetRun offsets, std::int16_t deliveries_before) {
  return {.delivered = {offsets, DeliveryState::acquired, one_more(deliveries_before)},
          .member = request.member,
          .lock_end_ms = request.lock_end_ms};
}

/// How many records of a run come in one poll, once half of its deliveries are over (kafka-groups 2.4). So a
/// bad record is alone before its last delivery, and does not take its neighbours with it.
std::optional<std::int64_t> part_of(const WindowRun& run, std::int16_t delivery_count_limit) noexcept {
  const int half = (delivery_count_limit + 1) / 2;
  const int halvings = run.delivered.delivery_count - half + 1;
  if (halvings < 1) return std::nullopt;
  constexpr int bits = std::numeric_limits<std::int64_t>::digits;
  return std::max<std::int64_t>(halvings < bits ? run.batch_records >> halvings : 1, 1);
}

bool is_last_delivery(const WindowRun& run, std::int16_t delivery_count_limit) noexcept {
  return run.delivered.delivery_count + 1 >= delivery_count_limit;
}

/// Offsets without a record are done, from the beginning: nobody is asked about them.
void append_gap(ShareChange& change, Offset from, Offset end) {
  if (from < end) append_run(change.runs, {.delivered = {{from, end - 1}, DeliveryState::archived, 0}});
}

}  // namespace

ShareChange ShareWindow::plan_released(const AcquireRequest& request, bool& is_alone) const {
  ShareChange change;
  is_alone = false;
  if (!has_returned(request.now_ms)) return change;
  std::int64_t left = request.max_records;
  for (const auto& [first, run] : runs_) {
    if (left <= 0) break;
    if (run.delivered.state != DeliveryState::available || run.due_ms > request.now_ms) continue;
    const bool is_last = is_last_delivery(run, request.delivery_count_limit);
    if (is_last && !change.runs.empty()) {
      // It is the next poll's: nothing behind it may come before it.
      is_alone = true;
      break;
    }
    const std::optional<std::int64_t> part = part_of(run, request.delivery_count_limit);
    std::int64_t count = std::min(left, run.delivered.offsets.last - first + 1);
    if (part) count = std::min(count, *part);
    if (is_last) count = 1;
    WindowRun acquired = acquired_run(request, {first, first + count - 1}, run.delivered.delivery_count);
    acquired.batch_records = run.batch_records;
    append_run(change.runs, acquired);
    left -= count;
    is_alone = is_last || part;
    if (is_alone) break;
  }
  return change;
}

std::optional<ShareChange> ShareWindow::plan_fresh(const AcquireRequest& request,
                                                   const FreshRecords& fresh) const {
  if (fresh.from != fresh_) return std::nullopt;
  ShareChange change;
  if (!has_room(request.max_record_locks)) return change;
  // A gap at the beginning of a window without records is let go of at once: it takes no room.
  const Offset start = runs_.empty() && !fresh.runs.empty() ? fresh.runs.front().first : start_;
  Offset next = fresh_;
  Offset end = fresh.end;
  std::int64_t batch_records = 0;
  for (const OffsetRun& run : fresh.runs) {
    if (run.first - start >= request.max_record_locks) {
      end = run.first;
      break;
    }
    SERIATIM_ASSERT(next <= run.first && run.first <= run.last && run.last < fresh.end);
    append_gap(change, next, run.first);
    append_run(change.runs, acquired_run(request, run, 0));
    batch_records += run.last - run.first + 1;
    next = run.last + 1;
  }
  append_gap(change, next, end);
  for (WindowRun& run : change.runs) {
    if (!is_finished(run.delivered.state)) run.batch_records = batch_records;
  }
  return change;
}

}  // namespace seriatim::group
