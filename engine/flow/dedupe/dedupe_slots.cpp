#include "flow/dedupe/dedupe_slots.hpp"

#include <algorithm>
#include <utility>

namespace seriatim::flow {
namespace {

// Keeps a deadline in the range of its clock.
constexpr std::chrono::milliseconds slot_wait_max = std::chrono::hours(24 * 365);

}  // namespace

// In front: one whose end is unfinished is the last to be taken again. There is room for all of them.
void DedupeSlots::give(TransactionalProducer slot) noexcept {
  {
    const std::lock_guard lock(mutex_);
    idle_.insert(idle_.begin(), std::move(slot));
  }
  given_.notify_one();
}

std::optional<TransactionalProducer> DedupeSlots::take(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  if (!given_.wait_for(lock, std::min(wait, slot_wait_max), [this] { return !idle_.empty(); }))
    return std::nullopt;
  std::optional<TransactionalProducer> slot(std::move(idle_.back()));
  idle_.pop_back();
  return slot;
}

}  // namespace seriatim::flow
