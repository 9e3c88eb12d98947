// The rules for a record that comes back, of one run.
#pragma once

#include <cstdint>

#include "group/share/share_runs.hpp"
#include "group/share/share_window.hpp"

namespace seriatim::group {

inline bool is_held_by(const WindowRun& run, ShareMemberId member) noexcept {
  return run.delivered.state == DeliveryState::acquired && member != 0 && run.member == member;
}

/// In `state`, and nothing else of it but its count.
inline WindowRun in_state(const WindowRun& run, DeliveryState state) {
  return {.delivered = {run.delivered.offsets, state, run.delivered.delivery_count}};
}

inline WindowRun died(const WindowRun& run, const ReturnRules& rules, bool is_rejected) {
  if (!rules.writes_letters) return in_state(run, DeliveryState::archived);
  WindowRun archiving = in_state(run, DeliveryState::archiving);
  archiving.member = run.member;
  archiving.is_rejected = is_rejected;
  return archiving;
}

/// The limit counts here, and not where records are handed out: one whose limit was lowered behind its
/// deliveries is delivered once more (kafka-groups 2.1).
inline WindowRun returned(const WindowRun& run, const ReturnRules& rules) {
  const std::int16_t deliveries = run.delivered.delivery_count;
  if (run.is_condemned || deliveries >= rules.delivery_count_limit) return died(run, rules, run.is_rejected);
  WindowRun available = in_state(run, DeliveryState::available);
  available.batch_records = run.batch_records;
  if (rules.due_ms != nullptr) available.due_ms = rules.due_ms(rules.context, rules.now_ms, deliveries);
  return available;
}

}  // namespace seriatim::group
