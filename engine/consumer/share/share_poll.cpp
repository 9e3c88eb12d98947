// poll: store the answers, take what may be delivered, else wait and look again.
#include <algorithm>
#include <utility>

#include "base/boundary.hpp"
#include "consumer/log_queries.hpp"
#include "consumer/poll_deadline.hpp"
#include "consumer/share/share_consumer_impl.hpp"
#include "partition/read/time_lookup.hpp"
#include "partition/visible_end.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::int64_t ns_in_ms = 1'000'000;
// Topics and partitions that are new are looked for so often, and settings that were changed. Arbitrary.
constexpr std::int64_t look_again_ns = 1'000 * ns_in_ms;
// Where something is there that cannot be shown yet, as behind a change of the isolation level. Arbitrary.
constexpr std::int64_t look_stuck_ns = 50 * ns_in_ms;

// Where a group begins that has never been here.
Result<Offset> first_offset(const EngineImpl& engine, const ShareGroupConfig& config,
                            const partition::PartitionLogPtr& of) {
  const partition::PartitionLog& log = *of;
  const Offset end = partition::visible_end(log, config.isolation_level);
  switch (config.auto_offset_reset) {
    case ShareAutoOffsetReset::earliest:
      return log.log_start_offset();
    case ShareAutoOffsetReset::latest:
      return end;
    case ShareAutoOffsetReset::by_duration:
      break;
  }
  const std::int64_t from_ms = engine.clock.wall_ms() - config.auto_offset_reset_duration.count();
  auto found = partition::find_offset_for_time(of, from_ms, end);
  if (!found) return found.error();
  return *found ? (*found)->offset : end;
}

}  // namespace

using consumer::deadline_after;
using consumer::real_now_ns;

Result<> ShareConsumerImpl::check_answered() const {
  if (is_implicit()) return {};
  for (const auto& source : sources) {
    const auto missing = source->hand().first_unanswered();
    if (!missing) continue;
    return Error(Errc::invalid_state,
                 consumer::name_text(source->name()) + " offset " + std::to_string(*missing) +
                     " of the last poll is not acknowledged; in explicit mode each record is answered for "
                     "before the next poll: acknowledge the rest, and poll again");
  }
  return {};
}

Result<> ShareConsumerImpl::begin(group::SharePartition& partition, const partition::PartitionLogPtr& log) {
  if (partition.has_begun()) return {};
  auto start = first_offset(*engine, config(), log);
  if (!start) return start.error();
  auto begun = partition.begin(*start);
  if (!begun) return begun.error();
  frames_lsn = std::max(frames_lsn, *begun);
  return {};
}

// A partition that cannot be opened keeps none of the others from being taken from: it is tried again by the
// next poll, and told where nothing else is there.
Result<> ShareConsumerImpl::find_sources() {
  auto now = engine->topics.load();
  if (known_topics == now) return {};
  unopened.reset();
  std::vector<consumer::ShareSource*> kept;
  Sources made;
  for (const std::string& name : topics) {
    const auto topic = now->find(name);
    if (topic == now->end()) continue;
    for (PartitionId i = 0; i < topic->second->partition_count(); ++i) {
      auto log = engine->partition_log(name, i);
      const auto known = std::find_if(sources.begin(), sources.end(), [&](const auto& source) {
        return log && &source->log() == log->get() && source->partition().has_begun();
      });
      if (known != sources.end()) {
        kept.push_back(known->get());
        continue;
      }
      auto source = log ? make_source({name, i}, topic->second->id, *std::move(log))
                        : Result<std::unique_ptr<consumer::ShareSource>>(log.error());
      if (source) {
        made.push_back(*std::move(source));
      } else if (source.error().code() != Errc::unknown_topic_or_partition && !unopened) {
        unopened = source.error();
      }
    }
  }
  made.reserve(made.size() + kept.size());
  return replace_sources(kept, std::move(made), std::move(now));
}

Result<std::unique_ptr<consumer::ShareSource>> ShareConsumerImpl::make_source(
    const TopicPartition& at, const catalog::Id& topic_id, partition::PartitionLogPtr log) {
  auto partition = engine->share_groups.partition(options.group_id, at, topic_id);
  if (!partition) return partition.error();
  if (auto begun = begin(**partition, log); !begun) return begun.error();
  const auto wish = options.topic_priority.find(at.topic);
  return std::make_unique<consumer::ShareSource>(
      consumer::ShareSource::Place{.name = std::make_shared<const TopicPartition>(at),
                                   .log = std::move(log),
                                   .partition = *std::move(partition),
                                   .priority = wish == options.topic_priority.end() ? 0 : wish->second},
      options.group_id, pool);
}

// Nobody answers any more for delivered records of a partition that is gone.
Result<> ShareConsumerImpl::replace_sources(const std::vector<consumer::ShareSource*>& kept, Sources next,
                                            directory::TopicRegistry::Ptr of) {
  Sources left;
  left.reserve(sources.size());
  // From here on nothing can fail.
  for (auto& source : sources) {
    const bool stays = std::find(kept.begin(), kept.end(), source.get()) != kept.end();
    frames_lsn = std::max(frames_lsn, source->newest_lsn());
    (stays ? next : left).push_back(std::move(source));
  }
  sources = std::move(next);
  std::stable_sort(sources.begin(), sources.end(),
                   [](const auto& a, const auto& b) { return a->priority() > b->priority(); });
  if (!unopened) known_topics = std::move(of);
  const ShareGroupConfig now_settings = config();
  Result<> outcome;
  for (const auto& source : left) {
    if (source->log().is_deleted()) continue;
    auto released = source->leave(step(now_settings));
    frames_lsn = std::max(frames_lsn, source->newest_lsn());
    // An administrator may have taken the group out of it.
    const bool had_nothing = !released && released.error().code() == Errc::invalid_record_state;
    if (!released && !had_nothing && outcome) outcome = released;
  }
  return outcome;
}

Result<ShareRecords> ShareConsumerImpl::poll(std::chrono::milliseconds timeout) {
  if (topics.empty()) {
    return Error(Errc::invalid_state,
                 "this share consumer subscribes to nothing; call subscribe before poll");
  }
  if (auto answered = check_answered(); !answered) return answered.error();
  accept_implicitly();
  if (auto committed = commit(Acks::leader, Told::by_callback_alone); !committed) return committed.error();
  std::int64_t deadline_ns = 0;
  for (;;) {
    if (slot->take_interrupt())
      return Error(Errc::wakeup, "wakeup was called; poll again when the caller is ready");
    if (thread.is_closed())
      return Error(Errc::closed, "the share consumer was closed while it waited; make a new one");
    if (auto usable = engine->check_usable(); !usable) return usable.error();
    if (auto found = find_sources(); !found) return found.error();
    auto got = collect();
    if (!got) return got.error();
    if (*got) return **std::move(got);
    if (timeout.count() <= 0) return ShareRecords();
    const bool is_first_look = deadline_ns == 0;
    if (is_first_look) deadline_ns = deadline_after(timeout);
    if (!is_first_look && real_now_ns() >= deadline_ns) return ShareRecords();
    wait(deadline_ns);
  }
}

// Nothing: nothing is there.
Result<std::optional<ShareRecords>> ShareConsumerImpl::collect() {
  auto out = pool->take_records();
  std::vector<std::int16_t> counts;
  consumer::FetchBudget budget{.records_left = options.max_poll_records,
                               .bytes_left = options.max_poll_bytes,
                               .check_crcs = options.check_crcs};
  const consumer::SharePoll taking{*out, counts, budget};
  const auto outcome = take_from_sources(taking);
  // A kill must not take the deliveries: who processes a record that ends the process would get it for ever.
  if (auto stored = acknowledge_frames(Acks::leader); !stored) return stored.error();
  for (const auto& source : sources) source->hand_out(taking);
  if (!out->views.empty()) {
    if (!outcome) tell_once(outcome.error());
    return std::optional(ShareRecords(ConsumerRecordsImpl::wrap(std::move(out)), std::move(counts)));
  }
  ConsumerRecordsImpl::recycle(std::move(out));
  if (!outcome) return outcome.error();
  if (unopened) return *unopened;
  return std::optional<ShareRecords>();
}

// The first failure: damage, and a death without its letter, holds its own partition up. Locks begin with
// each partition anew: one that waits for the disk does not shorten those of the next.
Result<> ShareConsumerImpl::take_from_sources(const consumer::SharePoll& taking) {
  const ShareGroupConfig now_settings = config();
  engine->visibility_gate.look([&] {
    for (const auto& source : sources) source->begin_poll(step(now_settings));
  });
  Result<> outcome;
  const auto note = [&](const Result<std::size_t>& taken) {
    if (taken) return;
    // The group was changed by an administrator: it begins there again.
    if (taken.error().code() == Errc::invalid_record_state) known_topics.reset();
    if (outcome) outcome = taken.error();
  };
  for (const auto& source : sources) {
    if (!source->hand().renewed().empty()) note(source->take_renewed(step(now_settings), taking));
  }
  const std::size_t count = sources.size();
  is_stuck = false;
  for (std::size_t first = 0; first < count && taking.out.views.empty();) {
    // The sources of one priority take turns.
    std::size_t end = first;
    while (end < count && sources[end]->priority() == sources[first]->priority()) ++end;
    const std::size_t level = end - first;
    for (std::size_t i = 0; i < level && taking.budget.records_left > 0; ++i) {
      auto& source = *sources[first + (turn + i) % level];
      const auto now = step(now_settings);
      if (!source.hand().empty() || !source.has_news(now)) continue;
      const auto taken = source.take(now, taking);
      note(taken);
      is_stuck = is_stuck || (taken && *taken == 0 && source.has_news(now));
    }
    first = end;
  }
  ++turn;
  return outcome;
}

// Of an error that records of the same poll hide, which may be so at each poll.
void ShareConsumerImpl::tell_once(const Error& error) {
  if (error.message() == last_told) return;
  last_told = error.message();
  engine->report(LogLevel::warn, "share group " + options.group_id + ": " + last_told);
}

bool ShareConsumerImpl::has_news(const consumer::ShareStep& now) const {
  return std::any_of(sources.begin(), sources.end(),
                     [&](const auto& source) { return source->has_news(now); });
}

bool ShareConsumerImpl::must_return() const noexcept {
  return slot->is_interrupted() || thread.is_closed() || engine->closed.load(std::memory_order_acquire);
}

void ShareConsumerImpl::wait(std::int64_t deadline_ns) {
  const std::uint32_t ticket = slot->ticket();
  std::size_t logs = 0;
  std::size_t partitions = 0;
  const base::Undoing leave([&] {
    for (std::size_t i = 0; i < logs; ++i) sources[i]->log().listeners().remove(slot);
    for (std::size_t i = 0; i < partitions; ++i) sources[i]->partition().remove_listener(slot);
  });
  for (; logs < sources.size(); ++logs) sources[logs]->log().listeners().add(slot);
  for (; partitions < sources.size(); ++partitions) sources[partitions]->partition().add_listener(slot);
  // After joining the listeners: news before is seen here, news after wakes.
  const ShareGroupConfig now_settings = config();
  const auto now = step(now_settings);
  if (must_return() || (!is_stuck && has_news(now))) return;
  const std::int64_t real_ns = real_now_ns();
  std::int64_t until_ns = std::min(deadline_ns, real_ns + (is_stuck ? look_stuck_ns : look_again_ns));
  for (const auto& source : sources) {
    const auto due_ms = source->next_due_ms(now.now_ms);
    if (due_ms) until_ns = std::min(until_ns, real_ns + (*due_ms - now.now_ms) * ns_in_ms);
  }
  slot->sleep(ticket, until_ns);
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
