#include "consumer/share/share_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/boundary.hpp"
#include "consumer/log_queries.hpp"
#include "partition/visible_end.hpp"

namespace seriatim::consumer {
namespace {

using group::OffsetRun;
using group::ShareChange;
using group::ShareWindow;

// Behind a letter that could not be written. Arbitrary: nobody is to spin, and none to wait for long.
constexpr std::int64_t letter_retry_ms = 1'000;

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

group::ReturnRules return_rules(const ShareStep& step, const Jitter& jitter) {
  return {.now_ms = step.now_ms,
          .delivery_count_limit = step.config.delivery_count_limit,
          .writes_letters = !step.config.dead_letter_topic.empty(),
          .due_ms = due_ms,
          .context = &jitter};
}

std::vector<group::DeadRun> dead_runs(const ShareChange& change) {
  std::vector<group::DeadRun> dead;
  for (const auto& run : change.runs) {
    if (run.delivered.state == group::DeliveryState::archiving)
      dead.push_back({run.delivered.offsets, run.delivered.delivery_count, run.is_rejected});
  }
  return dead;
}

}  // namespace

ShareSource::ShareSource(Place place, std::string group, const std::shared_ptr<RecordPool>& pool)
    : place_(std::move(place)),
      group_(std::move(group)),
      fresh_(place_.log, place_.name, pool),
      returned_(place_.log, place_.name, pool),
      random_(reinterpret_cast<std::uintptr_t>(this) | 1U) {}

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
                               deaths.letter_topic +
                               "; the deaths are tried again by the next polls: " + why.message());
}

bool ShareSource::has_news(const ShareStep& step) const {
  const Offset end = visible_end(step);
  const bool has_visible = place_.partition->look([&](const ShareWindow& window) {
    return window.has_returned(step.now_ms) ||
           (window.fresh_offset() < end && window.has_room(step.config.partition_max_record_locks));
  });
  return has_visible || log().is_deleted();
}

Offset ShareSource::visible_end(const ShareStep& step) const noexcept {
  return partition::visible_end(log(), step.config.isolation_level);
}

std::optional<std::int64_t> ShareSource::next_due_ms(std::int64_t now_ms) const {
  return place_.partition->look([&](const ShareWindow& window) { return window.next_due_ms(now_ms); });
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
    return window.plan_overdue(return_rules(step, jitter));
  });
}

Result<> ShareSource::commit(const ShareStep& step) {
  if (!hand_.has_answers()) return {};
  const auto answers = hand_.answers();
  const Jitter jitter{step.config, random_};
  std::vector<group::DeadRun> dead;
  const std::int64_t lock_end_ms = step.now_ms + step.config.record_lock_duration.count();
  auto changed = partition().change([&](const ShareWindow& window) {
    auto planned = window.plan_acknowledge(step.member, answers, return_rules(step, jitter), lock_end_ms);
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
  return dead.empty() ? Result<>() : bury(step, std::move(dead));
}

Result<> ShareSource::leave(const ShareStep& step) {
  hand_.clear();
  return change(step, [&](const ShareWindow& window) {
    const Jitter jitter{step.config, random_};
    return window.plan_leave(step.member, return_rules(step, jitter));
  });
}

}  // namespace seriatim::consumer
