#include "consumer/share/share_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/boundary.hpp"
#include "consumer/log_queries.hpp"

namespace seriatim::consumer {
namespace {

using group::OffsetRun;
using group::ShareChange;
using group::ShareWindow;

// Behind a letter that could not be written. Arbitrary: nobody is to spin, and none to wait for long.
constexpr std::int64_t letter_retry_ms = 1'000;

void add_offset(std::vector<OffsetRun>& runs, Offset offset) {
  if (!runs.empty() && runs.back().last + 1 == offset) {
    runs.back().last = offset;
  } else {
    runs.push_back({offset, offset});
  }
}

struct Jitter {
  const ShareGroupConfig& config;
  std::uint64_t& random;
};

// Xorshift: that members do not all come back at once needs no better one.
std::int64_t due_ms(const void* context, std::int64_t now_ms, std::int16_t delivery_count) {
  const Jitter& jitter = *static_cast<const Jitter*>(context);
  std::uint64_t& x = jitter.random;
  x ^= x << 13U;
  x ^= x >> 7U;
  x ^= x << 17U;
  constexpr double whole = 1ULL << 53U;
  const double chance = static_cast<double>(x >> 11U) / whole;
  return now_ms + group::retry_backoff_ms(jitter.config, delivery_count, chance);
}

std::vector<group::DeadRun> dead_runs(const ShareChange& change) {
  std::vector<group::DeadRun> dead;
  for (const auto& run : change.runs) {
    if (run.delivered.state == group::DeliveryState::archiving)
      dead.push_back({run.delivered.offsets, run.delivered.delivery_count});
  }
  return dead;
}

// The parts of `dead` that were rejected, and the others.
std::vector<group::DeadRun> with_reasons(const std::vector<group::DeadRun>& dead,
                                         const std::vector<group::Acknowledgement>& answers) {
  std::vector<group::DeadRun> parts;
  for (const auto& run : dead) {
    for (const auto& answer : answers) {
      const OffsetRun part{std::max(run.offsets.first, answer.offsets.first),
                           std::min(run.offsets.last, answer.offsets.last)};
      const bool is_rejected = answer.type == group::Acknowledging::reject;
      if (part.first <= part.last) parts.push_back({part, run.delivery_count, is_rejected});
    }
  }
  return parts;
}

}  // namespace

ShareSource::ShareSource(Place place, std::string group, const std::shared_ptr<RecordPool>& pool)
    : place_(std::move(place)),
      group_(std::move(group)),
      fresh_(place_.log, place_.name, pool),
      returned_(place_.log, place_.name, pool),
      random_(reinterpret_cast<std::uintptr_t>(this) | 1U) {}

group::AcquireRequest ShareSource::request(const ShareStep& step, std::size_t records) const {
  return {.member = step.member,
          .now_ms = step.now_ms,
          .lock_end_ms = step.now_ms + step.config.record_lock_duration.count(),
          .max_records = static_cast<std::int64_t>(records),
          .delivery_count_limit = step.config.delivery_count_limit,
          .max_record_locks = step.config.partition_max_record_locks};
}

Result<> ShareSource::change(const ShareStep& step, const Plan& plan) {
  std::vector<group::DeadRun> dead;
  auto changed = partition().change([&](const ShareWindow& window) {
    auto planned = plan(window);
    if (planned) dead = dead_runs(*planned);
    return planned;
  });
  if (!changed) return changed.error();
  newest_lsn_ = std::max(newest_lsn_, *changed);
  return dead.empty() ? Result<>() : bury(step, std::move(dead));
}

Result<> ShareSource::bury(const ShareStep& step, std::vector<group::DeadRun> dead) {
  group::Deaths deaths{.group = group_,
                       .at = name(),
                       .partition = place_.partition,
                       .runs = std::move(dead),
                       .letter_topic = step.config.dead_letter_topic,
                       .copies_records = step.config.dead_letter_copy_record,
                       .isolation_level = step.config.isolation_level};
  // The records do not stay between life and death, if that throws.
  auto buried = base::answered([&] { return step.letters.bury(deaths); });
  if (buried) return {};
  // The decision may be in the journal: the engine goes on with it, and the deaths come with it, or a restart
  // finds out.
  if (buried.error().outcome() == Outcome::unknown) return buried;
  std::vector<OffsetRun> left;
  for (const auto& run : deaths.runs) left.push_back(run.offsets);
  auto undone = partition().change([&](const ShareWindow& window) -> Result<ShareChange> {
    return window.plan_not_buried(left, step.now_ms + letter_retry_ms);
  });
  if (!undone) return undone.error();
  const Error& why = buried.error();
  return Error(why.code(), "dead letters of " + name_text(name()) + " could not be written to topic " +
                               deaths.letter_topic + "; the records come again: " + why.message());
}

group::ReturnRules ShareSource::rules(const ShareStep& step) const {
  return {.now_ms = step.now_ms,
          .delivery_count_limit = step.config.delivery_count_limit,
          .writes_letters = !step.config.dead_letter_topic.empty()};
}

bool ShareSource::has_news(const ShareStep& step) const {
  const bool has_visible = [&] {
    const bool is_committed_only = step.config.isolation_level == IsolationLevel::read_committed;
    const Offset end = is_committed_only ? log().last_stable_offset() : log().high_watermark();
    return place_.partition->look([&](const ShareWindow& window) {
      return window.has_returned(step.now_ms) ||
             (window.fresh_offset() < end && window.has_room(step.config.partition_max_record_locks));
    });
  }();
  return has_visible || log().is_deleted();
}

std::optional<std::int64_t> ShareSource::next_due_ms(std::int64_t now_ms) const {
  return place_.partition->look([&](const ShareWindow& window) { return window.next_due_ms(now_ms); });
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
  if (count == 0 && !outcome) return outcome.error();
  return count;
}

// Locks that are over, and records that the log has no more.
Result<> ShareSource::look_after(const ShareStep& step) {
  const Offset log_start = log().log_start_offset();
  const auto [is_cut, has_returned] = partition().look([&](const ShareWindow& window) {
    return std::pair(window.start_offset() < log_start, window.has_returned(step.now_ms));
  });
  if (is_cut) {
    auto moved = change(step, [&](const ShareWindow& window) { return window.plan_log_start(log_start); });
    if (!moved) return moved;
  }
  if (!has_returned) return {};
  return change(step, [&](const ShareWindow& window) {
    const Jitter jitter{step.config, random_};
    auto overdue = rules(step);
    overdue.due_ms = due_ms;
    overdue.context = &jitter;
    return window.plan_overdue(overdue);
  });
}

Result<bool> ShareSource::take_released(const ShareStep& step, const SharePoll& poll) {
  bool is_alone = false;
  ShareChange acquired;
  auto changed = change(step, [&](const ShareWindow& window) -> Result<ShareChange> {
    acquired = window.has_returned(step.now_ms)
                   ? window.plan_released(request(step, poll.budget.records_left), is_alone)
                   : ShareChange();
    return acquired;
  });
  if (!changed) return changed.error();
  if (acquired.runs.empty()) return false;
  auto read = read_released(step, poll, acquired);
  if (!read) return read.error();
  return is_alone;
}

Result<> ShareSource::read_released(const ShareStep& step, const SharePoll& poll,
                                    const ShareChange& acquired) {
  if (step.config.isolation_level == IsolationLevel::read_uncommitted) returned_.show_uncommitted();
  std::vector<OffsetRun> gaps;
  Result<> outcome;
  std::vector<group::Acknowledgement> unread;
  for (const auto& run : acquired.runs) {
    const OffsetRun offsets = run.delivered.offsets;
    if (outcome) outcome = read_run(poll, offsets, gaps);
    poll.delivery_counts.resize(poll.out.views.size(), run.delivered.delivery_count);
    if (!outcome) unread.push_back({offsets, group::Acknowledging::release});
  }
  if (!gaps.empty()) {
    auto passed =
        change(step, [&](const ShareWindow& window) { return window.plan_gaps(step.member, gaps); });
    if (!passed) return passed;
  }
  if (!unread.empty()) {
    // A reader that finds damage tells it at every poll: the records are not to die of that.
    auto rules_of_unread = rules(step);
    rules_of_unread.delivery_count_limit = std::numeric_limits<std::int16_t>::max();
    auto let_go = change(step, [&](const ShareWindow& window) {
      return window.plan_acknowledge(step.member, unread, rules_of_unread, 0);
    });
    if (!let_go) return let_go;
  }
  return outcome;
}

Result<> ShareSource::read_run(const SharePoll& poll, const OffsetRun& run, std::vector<OffsetRun>& gaps) {
  const std::size_t first = poll.out.views.size();
  const auto wanted = static_cast<std::size_t>(run.last - run.first + 1);
  // Without a limit of bytes: it is acquired already.
  FetchBudget budget{.records_left = wanted,
                     .bytes_left = std::numeric_limits<std::size_t>::max(),
                     .check_crcs = poll.budget.check_crcs};
  returned_.seek(run.first);
  while (budget.records_left > 0) {
    auto taken = returned_.take(budget, poll.out, returned_.visible_end());
    if (!taken) {
      poll.out.views.truncate(first);
      return taken.error();
    }
    if (*taken == 0) break;
  }
  std::size_t kept = first;
  Offset next = run.first;
  for (; kept < poll.out.views.size(); ++kept) {
    const Offset offset = poll.out.views.begin()[kept].offset();
    if (offset > run.last) break;
    if (next < offset) gaps.push_back({next, offset - 1});
    next = offset + 1;
  }
  if (next <= run.last) gaps.push_back({next, run.last});
  poll.out.views.truncate(kept);
  const std::size_t count = kept - first;
  poll.budget.records_left -= std::min(poll.budget.records_left, count);
  return {};
}

Result<> ShareSource::take_fresh(const ShareStep& step, const SharePoll& poll) {
  if (step.config.isolation_level == IsolationLevel::read_uncommitted) fresh_.show_uncommitted();
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
  auto taken = fresh_.take(budget, poll.out, fresh_.visible_end());
  // The log has begun elsewhere since it was looked after: the next look moves on.
  if (!taken && from < log().log_start_offset()) return Fresh::taken;
  if (!taken) return taken.error();
  group::FreshRecords fresh{.from = from, .end = fresh_.position()};
  for (std::size_t i = before.first_view; i < poll.out.views.size(); ++i)
    add_offset(fresh.runs, poll.out.views.begin()[i].offset());
  if (fresh.end <= from) return Fresh::taken;
  bool is_lost = false;
  Offset acquired_end = from;
  auto changed = change(step, [&](const ShareWindow& window) -> Result<ShareChange> {
    auto planned = window.plan_fresh(request(step, poll.budget.records_left), fresh);
    is_lost = !planned;
    if (is_lost) return ShareChange();
    for (const auto& run : planned->runs) {
      if (run.delivered.state == group::DeliveryState::acquired)
        acquired_end = run.delivered.offsets.last + 1;
    }
    return *std::move(planned);
  });
  if (!changed || is_lost) undo(poll, before);
  if (!changed) return changed.error();
  if (is_lost) return Fresh::lost;
  // Beyond the limit of the window records stay fresh.
  std::size_t acquired = poll.out.views.size();
  while (acquired > before.first_view && poll.out.views.begin()[acquired - 1].offset() >= acquired_end)
    --acquired;
  poll.out.views.truncate(acquired);
  poll.budget = budget;
  poll.budget.splits_batches = true;
  poll.delivery_counts.resize(poll.out.views.size(), 1);
  return Fresh::taken;
}

void ShareSource::undo(const SharePoll& poll, const Taken& before) {
  poll.out.views.truncate(before.first_view);
  poll.out.ranges.resize(before.first_range);
}

std::size_t ShareSource::finish(const SharePoll& poll, const Taken& before) {
  auto& out = poll.out;
  out.ranges.resize(before.first_range);
  const std::size_t count = out.views.size() - before.first_view;
  if (count == 0) return 0;
  const Offset last = out.views.begin()[out.views.size() - 1].offset();
  out.ranges.push_back({place_.name, before.first_view, count, last + 1});
  for (std::size_t i = before.first_view; i < out.views.size(); ++i)
    hand_.add(out.views.begin()[i].offset(), poll.delivery_counts[i]);
  return count;
}

Result<std::size_t> ShareSource::take_renewed(const ShareStep& step, const SharePoll& poll) {
  const Taken before{poll.out.views.size(), poll.out.ranges.size()};
  const auto runs = hand_.renewed();
  if (step.config.isolation_level == IsolationLevel::read_uncommitted) returned_.show_uncommitted();
  std::vector<OffsetRun> gaps;
  for (const OffsetRun& run : runs) {
    if (auto read = read_run(poll, run, gaps); !read) {
      undo(poll, before);
      return read.error();
    }
  }
  for (std::size_t i = before.first_view; i < poll.out.views.size(); ++i)
    poll.delivery_counts.push_back(hand_.delivery_count(poll.out.views.begin()[i].offset()));
  poll.out.ranges.resize(before.first_range);
  const std::size_t count = poll.out.views.size() - before.first_view;
  if (count > 0) poll.out.ranges.push_back({place_.name, before.first_view, count, runs.back().last + 1});
  hand_.give_renewed();
  return count;
}

Result<> ShareSource::commit(const ShareStep& step) {
  if (!hand_.has_answers()) return {};
  const auto answers = hand_.answers();
  const Jitter jitter{step.config, random_};
  auto returning = rules(step);
  returning.due_ms = due_ms;
  returning.context = &jitter;
  std::vector<group::DeadRun> dead;
  const std::int64_t lock_end_ms = step.now_ms + step.config.record_lock_duration.count();
  auto changed = partition().change([&](const ShareWindow& window) {
    auto planned = window.plan_acknowledge(step.member, answers, returning, lock_end_ms);
    if (planned) dead = dead_runs(*planned);
    return planned;
  });
  if (!changed) {
    if (changed.error().code() != Errc::invalid_record_state) return changed.error();
    hand_.drop_answered();
    return Error(Errc::invalid_record_state, name_text(name()) + ": " + changed.error().message());
  }
  newest_lsn_ = std::max(newest_lsn_, *changed);
  hand_.settle();
  return dead.empty() ? Result<>() : bury(step, with_reasons(dead, answers));
}

Result<> ShareSource::leave(const ShareStep& step) {
  hand_.clear();
  return change(step, [&](const ShareWindow& window) {
    const Jitter jitter{step.config, random_};
    auto returning = rules(step);
    returning.due_ms = due_ms;
    returning.context = &jitter;
    return window.plan_leave(step.member, returning);
  });
}

}  // namespace seriatim::consumer
