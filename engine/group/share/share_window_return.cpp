// Records that come back without an answer: locks that are over, members that leave, gaps, letters.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "group/share/share_return_private.hpp"
#include "group/share/share_window.hpp"

namespace seriatim::group {
namespace {

/// The runs that `is_meant`, as `changed` has them.
template <class IsMeant, class Changed>
ShareChange change_of_all(const ShareRuns& runs, IsMeant is_meant, Changed changed) {
  ShareChange change;
  for (const auto& [first, run] : runs) {
    if (is_meant(run)) append_run(change.runs, changed(run));
  }
  return change;
}

/// The same of some offsets.
template <class IsMeant, class Changed>
ShareChange change_of_some(const ShareRuns& runs, std::span<const OffsetRun> asked, IsMeant is_meant,
                           Changed changed) {
  std::vector<OffsetRun> ascending(asked.begin(), asked.end());
  std::sort(ascending.begin(), ascending.end(),
            [](const OffsetRun& left, const OffsetRun& right) { return left.first < right.first; });
  ShareChange change;
  Offset next = 0;
  for (const OffsetRun& offsets : ascending) {
    const Offset first = std::max(offsets.first, next);
    if (first > offsets.last) continue;
    for (auto at = runs.find(first); at != runs.end() && at->first <= offsets.last; ++at) {
      const WindowRun& run = at->second;
      const OffsetRun part{std::max(at->first, first), std::min(run.delivered.offsets.last, offsets.last)};
      if (is_meant(run)) append_run(change.runs, changed(run.at(part)));
    }
    next = offsets.last + 1;
  }
  return change;
}

bool is_condemned(const WindowRun& run) noexcept {
  return run.delivered.state == DeliveryState::acquired && run.is_condemned;
}

bool is_archiving(const WindowRun& run) noexcept { return run.delivered.state == DeliveryState::archiving; }

WindowRun archived(const WindowRun& run) { return in_state(run, DeliveryState::archived); }

}  // namespace

ShareChange ShareWindow::plan_overdue(const ReturnRules& rules) const {
  if (!has_returned(rules.now_ms)) return {};
  const auto is_over = [&rules](const WindowRun& run) {
    return run.delivered.state == DeliveryState::acquired && run.lock_end_ms <= rules.now_ms;
  };
  return change_of_all(runs_, is_over, [&rules](const WindowRun& run) { return returned(run, rules); });
}

ShareChange ShareWindow::plan_leave(ShareMemberId member, const ReturnRules& rules) const {
  const auto is_its = [member](const WindowRun& run) { return is_held_by(run, member); };
  return change_of_all(runs_, is_its, [&rules](const WindowRun& run) { return returned(run, rules); });
}

ShareChange ShareWindow::plan_gaps(ShareMemberId member, std::span<const OffsetRun> gaps) const {
  const auto is_its = [member](const WindowRun& run) { return is_held_by(run, member); };
  return change_of_some(runs_, gaps, is_its, archived);
}

ShareChange ShareWindow::plan_buried(std::span<const OffsetRun> dead) const {
  const auto is_dying = [](const WindowRun& run) { return is_archiving(run) || is_condemned(run); };
  return change_of_some(runs_, dead, is_dying, archived);
}

ShareChange ShareWindow::plan_not_buried(std::span<const OffsetRun> dead, std::int64_t retry_ms) const {
  return change_of_some(runs_, dead, is_archiving, [retry_ms](const WindowRun& run) {
    WindowRun waiting = in_state(run, DeliveryState::acquired);
    waiting.lock_end_ms = retry_ms;
    waiting.is_condemned = true;
    waiting.is_rejected = run.is_rejected;
    return waiting;
  });
}

}  // namespace seriatim::group
