#include "flow/dedupe/dedupe_ledger.hpp"

#include <exception>

namespace seriatim::flow {

void DedupeLedger::load(const DedupeMark& mark) {
  const std::lock_guard lock(mutex_);
  window_.add(mark);
}

DedupeMark DedupeLedger::next(Timestamp now) {
  const std::lock_guard lock(mutex_);
  return window_.next(now);
}

bool DedupeLedger::holds(const DedupeMark& mark, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return window_.holds(mark, now);
}

void DedupeLedger::enter(const DedupeHeld& held) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (held.recorded) window_.add(*held.recorded);
  } catch (const std::exception&) {
    // No memory to count it: others stay in the window that much longer.
  }
  if (held.recorded) ++counts_.firsts;
  if (!held.before || !(held.recorded || held.is_erased)) return;
  window_.remove(*held.before);
  ++rewrites_;
}

std::uint64_t DedupeLedger::rewrites() const {
  const std::lock_guard lock(mutex_);
  return rewrites_;
}

void DedupeLedger::count_duplicate() {
  const std::lock_guard lock(mutex_);
  ++counts_.duplicates;
}
void DedupeLedger::count_refusal() {
  const std::lock_guard lock(mutex_);
  ++counts_.refusals;
}
void DedupeLedger::count_swept(std::uint64_t ids) {
  const std::lock_guard lock(mutex_);
  counts_.swept += ids;
}

DedupeCounts DedupeLedger::counts() const {
  const std::lock_guard lock(mutex_);
  DedupeCounts counts = counts_;
  counts.ids = window_.stored();
  return counts;
}

std::uint64_t DedupeLedger::outside(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return window_.outside(now);
}

}  // namespace seriatim::flow
