// A window of a share group as members use it, and its state as text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "group/share/share_window.hpp"

namespace seriatim::test {

inline std::string text_of(group::OffsetRun offsets) {
  std::string text = std::to_string(offsets.first);
  if (offsets.last != offsets.first) text += ".." + std::to_string(offsets.last);
  return text;
}

/// "0..3x1 8x2": what a member gets, with the number of this delivery. Gaps are left out.
inline std::string deliveries_of(const group::ShareChange& change) {
  std::string text;
  for (const group::WindowRun& run : change.runs) {
    if (run.delivered.state != group::DeliveryState::acquired) continue;
    if (!text.empty()) text += " ";
    text += text_of(run.delivered.offsets) + "x" + std::to_string(run.delivered.delivery_count);
  }
  return text;
}

/// "4: 4..5 acquired x1, 6 acknowledged x1": the start offset, and all behind it.
inline std::string text_of(const group::DeliveryProgress& progress) {
  constexpr const char* names[] = {"available", "acquired", "acknowledged", "archiving", "archived"};
  std::string text = std::to_string(progress.start_offset) + ":";
  for (const group::DeliveredRun& run : progress.runs) {
    text += (text.back() == ':' ? " " : ", ") + text_of(run.offsets) + " " +
            names[static_cast<int>(run.state)] + " x" + std::to_string(run.delivery_count);
  }
  return text;
}

/// Every plan is applied at once.
struct SharedWindow {
  group::ShareWindow window{0};
  std::int64_t now_ms = 1'000;
  std::int64_t lock_ms = 1'000;
  std::int64_t max_record_locks = 2'000;
  group::ReturnRules settings{};  ///< Its time is not looked at.
  bool is_alone = false;          ///< Of the last released ones.

  group::ReturnRules rules() const {
    group::ReturnRules at_this_time = settings;
    at_this_time.now_ms = now_ms;
    return at_this_time;
  }
  group::AcquireRequest request(group::ShareMemberId member, std::int64_t max_records = 500) const {
    return {.member = member,
            .now_ms = now_ms,
            .lock_end_ms = now_ms + lock_ms,
            .max_records = max_records,
            .delivery_count_limit = settings.delivery_count_limit,
            .max_record_locks = max_record_locks};
  }
  std::string applied(const group::ShareChange& change) {
    window.reserve(change);
    window.apply(change);
    return deliveries_of(change);
  }

  /// Batches from the window's end on.
  std::string fresh(group::ShareMemberId member, std::vector<group::OffsetRun> batches, Offset end) {
    const auto change = window.plan_fresh(
        request(member), {.from = window.fresh_offset(), .end = end, .runs = std::move(batches)});
    return change ? applied(*change) : "not from there";
  }
  /// So many single records.
  std::string fresh(group::ShareMemberId member, std::int64_t records) {
    std::vector<group::OffsetRun> batches;
    const Offset first = window.fresh_offset();
    for (Offset offset = first; offset < first + records; ++offset) batches.push_back({offset, offset});
    return fresh(member, std::move(batches), first + records);
  }
  std::string released(group::ShareMemberId member, std::int64_t max_records = 500) {
    return applied(window.plan_released(request(member, max_records), is_alone));
  }
  /// "" where the answer was taken, else the error.
  std::string answer(group::ShareMemberId member, const std::vector<group::Acknowledgement>& answers) {
    const Result<group::ShareChange> change =
        window.plan_acknowledge(member, answers, rules(), now_ms + lock_ms);
    if (!change) return std::string(change.error().name()) + ": " + change.error().message();
    applied(*change);
    return "";
  }
  std::string answer(group::ShareMemberId member, group::OffsetRun offsets, group::Acknowledging type) {
    return answer(member, {{offsets, type}});
  }
  void leave(group::ShareMemberId member) { applied(window.plan_leave(member, rules())); }
  void look_at_locks() { applied(window.plan_overdue(rules())); }
  void restart() { window = group::ShareWindow(window.progress()); }

  std::string text() const { return text_of(window.progress()); }
};

}  // namespace seriatim::test
