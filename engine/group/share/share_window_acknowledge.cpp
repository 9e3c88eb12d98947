// The answers of a member: all of a call or none.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <seriatim/error.hpp>
#include <seriatim/result.hpp>

#include "group/share/share_return_private.hpp"
#include "group/share/share_window.hpp"

namespace seriatim::group {
namespace {

bool begins_before(const Acknowledgement& left, const Acknowledgement& right) noexcept {
  return left.offsets.first < right.offsets.first;
}

Error not_legal(const OffsetRun& offsets, const char* reason) {
  return {Errc::invalid_argument, "the answer for offsets " + std::to_string(offsets.first) + " to " +
                                      std::to_string(offsets.last) + " " + reason +
                                      "; nothing of this call was changed. Give each offset one answer"};
}

/// @param answers  in the order of their first offsets.
std::optional<Error> fault_of(std::span<const Acknowledgement> answers) {
  Offset next = 0;
  for (const auto& [offsets, type] : answers) {
    if (offsets.first < 0 || offsets.first > offsets.last)
      return not_legal(offsets, "ends before it begins, or begins below 0");
    if (offsets.first < next) return not_legal(offsets, "has an offset that another one of this call has");
    if (type < Acknowledging::accept || type > Acknowledging::renew)
      return not_legal(offsets, "is none of accept, release, reject and renew");
    next = offsets.last + 1;
  }
  return std::nullopt;
}

Error refused(Offset offset, const std::string& reason) {
  return {Errc::invalid_record_state, "offset " + std::to_string(offset) + " " + reason +
                                          "; nothing of this call was changed. A record that is not done is "
                                          "delivered again: answer, or renew, before its lock is over"};
}

std::string reason_against(const WindowRun& run, ShareMemberId member, std::int64_t now_ms) {
  switch (run.delivered.state) {
    case DeliveryState::available:
      return "is not acquired: it was released, or its lock ran out";
    case DeliveryState::acquired:
      break;
    case DeliveryState::acknowledged:
      return "is acknowledged already";
    case DeliveryState::archiving:
    case DeliveryState::archived:
      return "is archived already: it was rejected or delivered too often, or there is no record";
  }
  if (!is_held_by(run, member)) return "is not acquired by this consumer, or no longer: its lock ran out";
  return "was acquired by this consumer, but its lock ran out " + std::to_string(now_ms - run.lock_end_ms) +
         " ms ago";
}

WindowRun answered(const WindowRun& run, Acknowledging type, const ReturnRules& rules,
                   std::int64_t renewed_lock_end_ms) {
  switch (type) {
    case Acknowledging::accept:
      return in_state(run, DeliveryState::acknowledged);
    case Acknowledging::release:
      return returned(run, rules);
    case Acknowledging::reject:
      return died(run, rules, true);
    case Acknowledging::renew:
      break;
  }
  WindowRun renewed = run;
  renewed.lock_end_ms = renewed_lock_end_ms;
  return renewed;
}

}  // namespace

Result<ShareChange> ShareWindow::plan_acknowledge(ShareMemberId member,
                                                  std::span<const Acknowledgement> answers,
                                                  const ReturnRules& rules,
                                                  std::int64_t renewed_lock_end_ms) const {
  std::vector<Acknowledgement> ascending;
  if (!std::is_sorted(answers.begin(), answers.end(), begins_before)) {
    ascending.assign(answers.begin(), answers.end());
    std::sort(ascending.begin(), ascending.end(), begins_before);
    answers = ascending;
  }
  if (std::optional<Error> fault = fault_of(answers)) return *std::move(fault);
  ShareChange change;
  for (const auto& [offsets, type] : answers) {
    const Offset first = std::max(offsets.first, log_start_);
    if (first > offsets.last) continue;
    if (first < start_) return refused(first, "is done already");
    if (offsets.last >= fresh_) return refused(std::max(first, fresh_), "was never delivered");
    for (auto at = runs_.find(first); at != runs_.end() && at->first <= offsets.last; ++at) {
      const WindowRun& run = at->second;
      const OffsetRun part{std::max(at->first, first), std::min(run.delivered.offsets.last, offsets.last)};
      if (!is_held_by(run, member) || run.lock_end_ms <= rules.now_ms)
        return refused(part.first, reason_against(run, member, rules.now_ms));
      append_run(change.runs, answered(run.at(part), type, rules, renewed_lock_end_ms));
    }
  }
  return change;
}

}  // namespace seriatim::group
