#include "group/share/share_runs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace seriatim::group {
namespace {

// A new run and the rest of the one that it splits.
constexpr std::size_t nodes_of_assignment = 2;
// Arbitrary: kept for the single answers to come. More, of a large answer, is given back.
constexpr std::size_t spare_nodes_kept = 64;

bool continues(const WindowRun& left, const WindowRun& right) noexcept {
  return left.delivered.offsets.last + 1 == right.delivered.offsets.first && are_alike(left, right);
}

}  // namespace

std::optional<std::int64_t> look_at_ms(const WindowRun& run) noexcept {
  if (run.delivered.state == DeliveryState::available) return run.due_ms;
  if (run.delivered.state == DeliveryState::acquired) return run.lock_end_ms;
  return std::nullopt;
}

bool are_alike(const WindowRun& left, const WindowRun& right) noexcept {
  return left.delivered.state == right.delivered.state &&
         left.delivered.delivery_count == right.delivered.delivery_count && left.member == right.member &&
         left.lock_end_ms == right.lock_end_ms && left.due_ms == right.due_ms &&
         left.batch_records == right.batch_records && left.is_condemned == right.is_condemned &&
         left.is_rejected == right.is_rejected;
}

void append_run(std::vector<WindowRun>& runs, const WindowRun& run) {
  if (!runs.empty() && continues(runs.back(), run)) {
    runs.back().delivered.offsets.last = run.delivered.offsets.last;
  } else {
    runs.push_back(run);
  }
}

ShareRuns::Map::const_iterator ShareRuns::find(Offset offset) const noexcept {
  const auto behind = runs_.upper_bound(offset);
  if (behind == runs_.begin()) return behind;
  const auto before = std::prev(behind);
  return before->second.delivered.offsets.last >= offset ? before : behind;
}

std::optional<std::int64_t> ShareRuns::earliest_ms() const noexcept { return earliest_ms_; }

void ShareRuns::reserve(std::size_t assigned) {
  const std::size_t wanted = assigned * nodes_of_assignment;
  spare_.reserve(std::max(wanted, spare_nodes_kept));
  Map made;
  while (spare_.size() < wanted) spare_.push_back(made.extract(made.try_emplace(0).first));
}

void ShareRuns::assign(const WindowRun& run) {
  const Iterator behind = cut_out(run.delivered.offsets);
  Iterator at = behind == runs_.begin() ? runs_.end() : std::prev(behind);
  if (at != runs_.end() && continues(at->second, run)) {
    at->second.delivered.offsets.last = run.delivered.offsets.last;
  } else {
    at = insert(behind, run);
  }
  if (behind == runs_.end() || !continues(at->second, behind->second)) return;
  at->second.delivered.offsets.last = behind->second.delivered.offsets.last;
  drop(behind);
}

void ShareRuns::erase_first() { drop(runs_.begin()); }

void ShareRuns::erase_below(Offset offset) {
  while (!runs_.empty() && runs_.begin()->second.delivered.offsets.last < offset) drop(runs_.begin());
  if (!runs_.empty() && runs_.begin()->first < offset) begin_at(runs_.begin(), offset);
}

void ShareRuns::settle() noexcept {
  if (spare_.capacity() > spare_nodes_kept) spare_ = std::vector<Map::node_type>();
  if (earliest_runs_ != 0 || !earliest_ms_) return;
  earliest_ms_.reset();
  for (const auto& [first, run] : runs_) enter_time(run);
}

void ShareRuns::enter_time(const WindowRun& run) noexcept {
  const std::optional<std::int64_t> at_ms = look_at_ms(run);
  if (!at_ms || (earliest_ms_ && *at_ms > *earliest_ms_)) return;
  earliest_runs_ = earliest_ms_ == at_ms ? earliest_runs_ + 1 : 1;
  earliest_ms_ = at_ms;
}

void ShareRuns::leave_time(const WindowRun& run) noexcept {
  const std::optional<std::int64_t> at_ms = look_at_ms(run);
  if (at_ms && at_ms == earliest_ms_) --earliest_runs_;
}

ShareRuns::Iterator ShareRuns::cut_out(OffsetRun offsets) {
  Iterator run = runs_.upper_bound(offsets.first);
  if (run != runs_.begin() && std::prev(run)->second.delivered.offsets.last >= offsets.first) --run;
  if (run != runs_.end() && run->first < offsets.first) {
    const WindowRun whole = run->second;
    run->second.delivered.offsets.last = offsets.first - 1;
    ++run;
    if (whole.delivered.offsets.last > offsets.last)
      return insert(run, whole.at({offsets.last + 1, whole.delivered.offsets.last}));
  }
  while (run != runs_.end() && run->first <= offsets.last) {
    if (run->second.delivered.offsets.last > offsets.last) return begin_at(run, offsets.last + 1);
    run = drop(run);
  }
  return run;
}

ShareRuns::Iterator ShareRuns::insert(Iterator behind, const WindowRun& run) {
  enter_time(run);
  if (spare_.empty()) return runs_.emplace_hint(behind, run.delivered.offsets.first, run);
  Map::node_type node = std::move(spare_.back());
  spare_.pop_back();
  node.key() = run.delivered.offsets.first;
  node.mapped() = run;
  return runs_.insert(behind, std::move(node));
}

ShareRuns::Iterator ShareRuns::drop(Iterator run) noexcept {
  const Iterator behind = std::next(run);
  leave_time(run->second);
  // Only where the list has room: to give memory back must not ask for any.
  if (spare_.size() < std::min(spare_.capacity(), spare_nodes_kept)) {
    spare_.push_back(runs_.extract(run));
  } else {
    runs_.erase(run);
  }
  return behind;
}

ShareRuns::Iterator ShareRuns::begin_at(Iterator run, Offset first) {
  const Iterator behind = std::next(run);
  Map::node_type node = runs_.extract(run);
  node.key() = first;
  node.mapped().delivered.offsets.first = first;
  return runs_.insert(behind, std::move(node));
}

}  // namespace seriatim::group
