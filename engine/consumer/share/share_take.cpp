// The deliveries of a partition: found, read, acquired, in this order. Nothing is acquired that was not read:
// a batch that cannot be read costs no delivery.
#include <algorithm>
#include <limits>
#include <utility>

#include "consumer/share/share_source.hpp"

namespace seriatim::consumer {
namespace {

using group::OffsetRun;
using group::ShareChange;
using group::ShareWindow;

void add_offset(std::vector<OffsetRun>& runs, Offset offset) {
  if (!runs.empty() && runs.back().last + 1 == offset) {
    runs.back().last = offset;
  } else {
    runs.push_back({offset, offset});
  }
}

std::int64_t count_of(const OffsetRun& run) noexcept { return run.last - run.first + 1; }

// Whether `plan` acquires the first `offsets` offsets of `planned`, as often delivered.
bool is_beginning_of(const ShareChange& plan, const ShareChange& planned, std::int64_t offsets) {
  std::size_t i = 0;
  for (; i < planned.runs.size() && offsets > 0; ++i) {
    auto wanted = planned.runs[i].delivered;
    wanted.offsets.last = std::min(wanted.offsets.last, wanted.offsets.first + offsets - 1);
    if (i == plan.runs.size() || plan.runs[i].delivered != wanted) return false;
    offsets -= count_of(wanted.offsets);
  }
  return i == plan.runs.size();
}

}  // namespace

group::AcquireRequest ShareSource::request(const ShareStep& step, std::size_t records) const {
  return {.member = step.member,
          .now_ms = step.now_ms,
          .lock_end_ms = step.now_ms + step.config.record_lock_duration.count(),
          .max_records = static_cast<std::int64_t>(records),
          .delivery_count_limit = step.config.delivery_count_limit,
          .max_record_locks = step.config.partition_max_record_locks};
}

void ShareSource::begin_poll(const ShareStep& step) noexcept {
  taken_ = {};
  bound_ = visible_end(step);
  if (level_ == step.config.isolation_level) return;
  level_ = step.config.isolation_level;
  for (PartitionReader* reader : {&fresh_, &returned_}) {
    level_ == IsolationLevel::read_committed ? reader->show_committed() : reader->show_uncommitted();
    reader->seek(reader->position());
  }
}

Result<std::size_t> ShareSource::take(const ShareStep& step, const SharePoll& poll) {
  const Taken before{poll.out.views.size(), poll.out.ranges.size()};
  const auto outcome = [&]() -> Result<> {
    if (auto looked = look_after(step); !looked) return looked;
    auto is_alone = take_released(step, poll);
    if (!is_alone) return is_alone.error();
    if (*is_alone || poll.budget.records_left == 0) return {};
    return take_fresh(step, poll);
  }();
  const std::size_t count = finish(poll, before);
  // The log has begun elsewhere since it was looked after, or is gone: the next look finds out.
  const bool is_behind = !outcome && (outcome.error().code() == Errc::unknown_topic_or_partition ||
                                      outcome.error().code() == Errc::offset_out_of_range);
  if (count == 0 && !outcome && !is_behind) return outcome.error();
  return count;
}

// Whether nothing else of the partition may come in this poll.
Result<bool> ShareSource::take_released(const ShareStep& step, const SharePoll& poll) {
  const Taken before{poll.out.views.size(), poll.out.ranges.size()};
  for (;;) {
    bool is_alone = false;
    const auto planned = partition().look([&](const ShareWindow& window) {
      return window.has_returned(step.now_ms)
                 ? window.plan_released(request(step, poll.budget.records_left), is_alone)
                 : ShareChange();
    });
    if (planned.runs.empty()) return is_alone;
    FetchBudget budget = poll.budget;
    ReadRuns read;
    auto outcome = read_planned({poll.out, poll.delivery_counts, budget}, planned, read);
    if (read.offsets == 0) return outcome ? Result<bool>(is_alone) : Result<bool>(outcome.error());
    auto acquired = acquire_released(step, planned, read, is_alone);
    if (!acquired || !*acquired) undo(poll, before);
    if (!acquired) return acquired.error();
    // Another member was faster.
    if (!*acquired) continue;
    poll.budget = budget;
    return is_alone;
  }
}

Result<> ShareSource::read_planned(const SharePoll& poll, const ShareChange& planned, ReadRuns& read) {
  for (const auto& run : planned.runs) {
    const OffsetRun offsets = run.delivered.offsets;
    auto end = read_run(poll, offsets, read.gaps);
    poll.delivery_counts.resize(poll.out.views.size(), run.delivered.delivery_count);
    if (!end) return end.error();
    read.offsets += *end - offsets.first;
    if (*end <= offsets.last) return {};
  }
  return {};
}

Result<bool> ShareSource::acquire_released(const ShareStep& step, const ShareChange& planned,
                                           const ReadRuns& read, bool& is_alone) {
  bool is_same = false;
  auto changed = change(step, [&](const ShareWindow& window) -> Result<ShareChange> {
    auto plan = window.plan_released(request(step, static_cast<std::size_t>(read.offsets)), is_alone);
    is_same = is_beginning_of(plan, planned, read.offsets);
    return is_same ? std::move(plan) : ShareChange();
  });
  if (!changed) return changed.error();
  if (!is_same || read.gaps.empty()) return is_same;
  auto passed =
      change(step, [&](const ShareWindow& window) { return window.plan_gaps(step.member, read.gaps); });
  return passed ? Result<bool>(true) : Result<bool>(passed.error());
}

// Returns one past the last offset that was looked at; at most one past the run. An error only where that
// is its first one: what can be read before damage comes first.
Result<Offset> ShareSource::read_run(const SharePoll& poll, const OffsetRun& run,
                                     std::vector<OffsetRun>& gaps) {
  const std::size_t first = poll.out.views.size();
  FetchBudget& budget = poll.budget;
  const std::size_t allowed = budget.records_left;
  returned_.seek(run.first);
  Result<> outcome;
  while (outcome && returned_.position() <= run.last && budget.records_left > 0) {
    const Offset at = returned_.position();
    FetchBudget rest = budget;
    rest.records_left = std::min<std::size_t>(allowed, static_cast<std::size_t>(run.last - at + 1));
    auto taken = returned_.take(rest, poll.out, bound_);
    if (!taken) outcome = taken.error();
    budget.bytes_left = rest.bytes_left;
    budget.has_taken = rest.has_taken;
    if (returned_.position() == at) break;
  }
  const Offset end = std::min(returned_.position(), run.last + 1);
  if (!outcome && end == run.first) return outcome.error();
  std::size_t kept = first;
  Offset next = run.first;
  for (; kept < poll.out.views.size(); ++kept) {
    const Offset offset = poll.out.views.begin()[kept].offset();
    if (offset >= end) break;
    if (next < offset) gaps.push_back({next, offset - 1});
    next = offset + 1;
  }
  if (next < end) gaps.push_back({next, end - 1});
  poll.out.views.truncate(kept);
  budget.records_left -= std::min(budget.records_left, kept - first);
  return end;
}

Result<> ShareSource::take_fresh(const ShareStep& step, const SharePoll& poll) {
  // Each loss is somebody else's gain; who loses so often has had the processor taken away.
  constexpr int attempts = 100;
  for (int i = 0; i < attempts; ++i) {
    auto fresh = try_fresh(step, poll);
    if (!fresh) return fresh.error();
    if (*fresh == Fresh::taken) return {};
  }
  return {};
}

Result<ShareSource::Fresh> ShareSource::try_fresh(const ShareStep& step, const SharePoll& poll) {
  const Taken before{poll.out.views.size(), poll.out.ranges.size()};
  const std::int64_t locks_max = step.config.partition_max_record_locks;
  const auto [from, room] = partition().look([&](const ShareWindow& window) {
    const std::int64_t left = locks_max - (window.fresh_offset() - window.start_offset());
    return std::pair(window.fresh_offset(), window.has_room(locks_max) ? left : 0);
  });
  if (room <= 0) return Fresh::taken;
  if (fresh_.position() != from) fresh_.seek(from);
  FetchBudget budget = poll.budget;
  budget.splits_batches = step.splits_batches;
  budget.records_left = std::min(budget.records_left, static_cast<std::size_t>(room));
  auto taken = fresh_.take(budget, poll.out, bound_);
  if (!taken) return taken.error();
  group::FreshRecords fresh{.from = from, .end = fresh_.position()};
  if (fresh.end <= from) return Fresh::taken;
  for (std::size_t i = before.first_view; i < poll.out.views.size(); ++i)
    add_offset(fresh.runs, poll.out.views.begin()[i].offset());
  const auto acquired_end = acquire_fresh(step, fresh);
  if (!acquired_end || !*acquired_end) undo(poll, before);
  if (!acquired_end) return acquired_end.error();
  if (!*acquired_end) return Fresh::lost;
  // Beyond the limit of the window records stay fresh.
  std::size_t acquired = poll.out.views.size();
  while (acquired > before.first_view && poll.out.views.begin()[acquired - 1].offset() >= **acquired_end)
    --acquired;
  poll.out.views.truncate(acquired);
  const std::size_t count = acquired - before.first_view;
  poll.budget.records_left -= std::min(poll.budget.records_left, count);
  poll.budget.bytes_left = budget.bytes_left;
  poll.budget.has_taken = budget.has_taken;
  poll.delivery_counts.resize(poll.out.views.size(), 1);
  return Fresh::taken;
}

// Nothing: somebody else was faster.
Result<std::optional<Offset>> ShareSource::acquire_fresh(const ShareStep& step,
                                                         const group::FreshRecords& fresh) {
  std::optional<Offset> end;
  auto changed = change(step, [&](const ShareWindow& window) -> Result<ShareChange> {
    end.reset();
    auto planned = window.plan_fresh(request(step, 1), fresh);
    if (!planned) return ShareChange();
    end = fresh.from;
    for (const auto& run : planned->runs) {
      if (run.delivered.state == group::DeliveryState::acquired) end = run.delivered.offsets.last + 1;
    }
    return *std::move(planned);
  });
  if (!changed) return changed.error();
  return end;
}

void ShareSource::undo(const SharePoll& poll, const Taken& before) {
  poll.out.views.truncate(before.first_view);
  poll.out.ranges.resize(before.first_range);
  poll.delivery_counts.resize(before.first_view);
}

// Makes one range of all that was taken.
std::size_t ShareSource::finish(const SharePoll& poll, const Taken& before) {
  auto& out = poll.out;
  out.ranges.resize(before.first_range);
  const std::size_t count = out.views.size() - before.first_view;
  if (count == 0) return 0;
  const Offset last = out.views.begin()[out.views.size() - 1].offset();
  out.ranges.push_back({place_.name, before.first_view, count, last + 1});
  hand_.reserve(count);
  taken_ = {before.first_view, count};
  return count;
}

void ShareSource::hand_out(const SharePoll& poll) noexcept {
  for (std::size_t i = taken_.first; i < taken_.first + taken_.count; ++i)
    hand_.add(poll.out.views.begin()[i].offset(), poll.delivery_counts[i]);
  hand_.give_renewed();
  taken_ = {};
}

// Records that cannot be given again leave the hand; their locks let them come back.
Result<std::size_t> ShareSource::take_renewed(const ShareStep& step, const SharePoll& poll) {
  const Taken before{poll.out.views.size(), poll.out.ranges.size()};
  const auto runs = hand_.renewed();
  std::vector<OffsetRun> gaps;
  Result<> outcome;
  // The polls that returned them had the limits.
  FetchBudget unlimited{.records_left = std::numeric_limits<std::size_t>::max(),
                        .bytes_left = std::numeric_limits<std::size_t>::max(),
                        .check_crcs = poll.budget.check_crcs};
  for (const OffsetRun& run : runs) {
    auto end = read_run({poll.out, poll.delivery_counts, unlimited}, run, gaps);
    if (!end && outcome) outcome = end.error();
    const Offset first_left = end ? *end : run.first;
    if (first_left <= run.last) hand_.drop({first_left, run.last});
  }
  for (const OffsetRun& gap : gaps) hand_.drop(gap);
  for (std::size_t i = before.first_view; i < poll.out.views.size(); ++i)
    poll.delivery_counts.push_back(hand_.delivery_count(poll.out.views.begin()[i].offset()));
  if (!gaps.empty()) {
    auto passed =
        change(step, [&](const ShareWindow& window) { return window.plan_gaps(step.member, gaps); });
    if (!passed && outcome) outcome = passed.error();
  }
  poll.out.ranges.resize(before.first_range);
  const std::size_t count = poll.out.views.size() - before.first_view;
  if (count > 0) poll.out.ranges.push_back({place_.name, before.first_view, count, runs.back().last + 1});
  if (count == 0 && !outcome) return outcome.error();
  return count;
}

}  // namespace seriatim::consumer
