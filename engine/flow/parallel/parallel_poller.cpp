// Polls, and hands out.
#include "flow/parallel/parallel_poller.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <seriatim/exception.hpp>

#include "flow/answered.hpp"
#include "flow/parallel/backoff.hpp"
#include "flow/parallel/record_fingerprint.hpp"

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// A stop, an append and space wake the poll: any time will do.
constexpr std::chrono::milliseconds idle_poll_timeout = std::chrono::minutes(1);
// While handlers run: that somebody sees how far they are, and gives away what one of them does not come to.
constexpr std::chrono::milliseconds busy_poll_timeout{20};
constexpr std::chrono::milliseconds drain_look_every{1};
// To count ranges is to walk over all that is in flight.
constexpr std::chrono::milliseconds ranges_look_every{1};
// So many fit into the metadata of a commit, unless the gaps between them are above a thousand.
constexpr std::size_t ranges_max = 500;
// Of one poll, so that workers get the mutex in between.
constexpr std::size_t records_of_add = 256;

// Of splitmix64: the bits of a hash, or a count, spread evenly.
std::uint64_t spread(std::uint64_t bits) noexcept {
  bits += 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31U);
}

}  // namespace

Result<std::unique_ptr<ParallelPoller>> ParallelPoller::open(const Engine& engine,
                                                             const ParallelParts& parts) {
  ConsumerOptions consuming = parts.options.consumer;
  consuming.group_id = parts.options.group_id;
  consuming.commit_acks = parts.options.acks;
  auto consumer = engine.consumer(std::move(consuming));
  if (!consumer) return consumer.error();
  auto poller = std::make_unique<ParallelPoller>(engine, parts, *std::move(consumer));
  if (auto subscribed = poller->subscribe(); !subscribed) return subscribed.error();
  parts.pool.set_waker([consumer = &poller->consumer_] { consumer->wakeup(); });
  return poller;
}

Result<> ParallelPoller::subscribe() {
  RebalanceListener listener{.on_assigned = [this](const Partitions& partitions) { on_assigned(partitions); },
                             .on_revoked = [this](const Partitions& partitions) { on_revoked(partitions); },
                             .on_lost = [this](const Partitions& partitions) { on_lost(partitions); }};
  const ParallelConsumerOptions& options = parts_.options;
  return options.topics.empty() ? consumer_.subscribe(options.pattern, std::move(listener))
                                : consumer_.subscribe(options.topics, std::move(listener));
}

void ParallelPoller::run() noexcept {
  while (parts_.pool.phase() == ParallelPhase::open) {
    if (auto done = flow::answered([this] { return step(); }); !done) parts_.fail(done.error());
  }
  if (auto drained = flow::answered([this] { return drain(); }); !drained) parts_.fail(drained.error());
  auto committed = flow::answered([this] {
    let_go();
    return commit(owned_);
  });
  if (!committed) parts_.fail(committed.error());
  is_closing_ = true;
  consumer_.close();
  parts_.pool.set_waker({});
  parts_.pool.go_on_to(ParallelPhase::over);
}

Result<> ParallelPoller::step() {
  let_go();
  if (auto paused = set_pauses(); !paused) return paused;
  if (auto committed = commit_when_due(); !committed) return committed;
  auto records = consumer_.poll(poll_timeout());
  const auto poll_failure = records ? std::nullopt : std::optional<Error>(records.error());
  if (!poll_failure) {
    has_unseen_ = true;
    hand_out(*std::move(records));
    has_unseen_ = false;
  }
  if (failed_inside_) {
    const Error failure = *std::exchange(failed_inside_, std::nullopt);
    if (auto recovered = recover(failure); !recovered) return recovered;
  } else if (!poll_failure) {
    poll_failures_ = 0;
  }
  return !poll_failure || poll_failure->code() == Errc::wakeup ? Result<>() : recover(*poll_failure);
}

Result<> ParallelPoller::drain() {
  const auto most = std::min<std::chrono::milliseconds>(parts_.options.stop_timeout, std::chrono::hours(24));
  const Time until = parts_.pool.ended_at() + most;
  bool can_poll = true;
  for (;;) {
    let_go();
    if (in_flight_ == 0) return {};
    if (std::chrono::steady_clock::now() >= until) return still_running();
    // Polls, so that it stays a member; where that fails its failure is told.
    if (can_poll) {
      if (auto done = step(); !done) {
        parts_.fail(done.error());
        can_poll = false;
      }
    } else {
      std::this_thread::sleep_for(drain_look_every);
    }
  }
}

Error ParallelPoller::still_running() {
  has_left_handlers_ = true;
  std::string at;
  const ParallelPartition* const handled = parts_.pool.handled_partition();
  for (const auto& owned : owned_) {
    if (owned.second.get() != handled) continue;
    const TopicPartition& name = owned.first;
    const auto position = parts_.pool.look([&] { return owned.second->window.position(); });
    at = " of " + name.topic + "-" + std::to_string(name.partition) + " offset " +
         std::to_string(position.value_or(-1)) + " or behind";
  }
  return {Errc::timed_out,
          "a handler has not returned from a record" + at + " within stop_timeout (" +
              std::to_string(parts_.options.stop_timeout.count()) +
              " ms); the record comes again. The destructor waits for it: end the process, if it never "
              "returns"};
}

std::chrono::milliseconds ParallelPoller::poll_timeout() const {
  if (parts_.pool.phase() != ParallelPhase::open) return busy_poll_timeout;
  if (in_flight_ > 0) return busy_poll_timeout;
  if (handled_ == committed_count_) return idle_poll_timeout;
  const auto due = std::max(last_commit_ + parts_.options.commit_interval, commit_not_before_);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
  return std::clamp(left, std::chrono::milliseconds(0), idle_poll_timeout);
}

void ParallelPoller::hand_out(ConsumerRecords records) {
  if (records.empty()) return;
  const auto batch = std::make_shared<QueuedBatch>();
  batch->records = std::move(records);
  batch->queued.resize(batch->records.count());
  for (const TopicPartition& at : batch->records.partitions()) {
    const auto views = batch->records.records(at);
    const auto first = static_cast<std::size_t>(views.data() - batch->records.begin());
    for (std::size_t i = first; i < first + views.size(); ++i) {
      batch->queued[i].view = &batch->records[i];
      batch->queued[i].offset = batch->records[i].offset();
    }
    const auto found = owned_.find(at);
    ParallelPartition& partition = found != owned_.end() ? *found->second : own(at, {});
    if (partition.window.is_behind(views.front().offset())) {
      // The log has begun anew, below: nothing of before counts.
      drop_all(give_up({at}));
      hand_out(own(at, {}), batch, first, views.size());
    } else {
      hand_out(partition, batch, first, views.size());
    }
  }
}

void ParallelPoller::hand_out(ParallelPartition& partition, const std::shared_ptr<QueuedBatch>& batch,
                              std::size_t first, std::size_t count) {
  const std::span<QueuedRecord> records(batch->queued.data() + first, count);
  for (QueuedRecord& record : records) set_order(partition, record);
  const std::size_t unfinished = parts_.pool.look([&] {
    return partition.window
        .append({.partition = &partition, .batch = batch, .records = records.data(), .count = count})
        .unfinished;
  });
  if (unfinished < count) parts_.pool.note_spared(count - unfinished);
  for (std::size_t i = 0; i < count; i += records_of_add)
    parts_.pool.add(partition, records.subspan(i, std::min(records_of_add, count - i)));
}

void ParallelPoller::set_order(const ParallelPartition& partition, QueuedRecord& record) const {
  switch (parts_.options.order) {
    case ParallelOrder::per_key: {
      const BytesView key = record.view->key();
      record.has_order = !key.is_null();
      if (record.has_order) record.order = spread(std::hash<std::string_view>()(key.text()) ^ partition.salt);
      return;
    }
    case ParallelOrder::per_partition:
      record.has_order = true;
      record.order = partition.salt;
      return;
    case ParallelOrder::none:
      return;
  }
}

Result<> ParallelPoller::set_pauses() {
  is_paused_ = parts_.pool.is_full() || parts_.pool.phase() != ParallelPhase::open;
  Partitions paused;
  Partitions resumed;
  for (const auto& [at, partition] : owned_) {
    const bool is_wanted = is_paused_ || partition->has_many_ranges;
    if (is_wanted != partition->is_paused) (is_wanted ? paused : resumed).push_back(at);
    partition->is_paused = is_wanted;
  }
  if (!paused.empty()) {
    if (auto done = consumer_.pause(paused); !done) return done;
  }
  return resumed.empty() ? Result<>() : consumer_.resume(resumed);
}

void ParallelPoller::let_go() {
  std::vector<std::shared_ptr<QueuedBatch>> released;
  std::vector<std::unique_ptr<ParallelPartition>> ended;
  const Time now = std::chrono::steady_clock::now();
  const bool counts_ranges = now - last_ranges_look_ >= ranges_look_every;
  if (counts_ranges) last_ranges_look_ = now;
  // Both are destroyed without the mutex.
  parts_.pool.look([&] {
    for (const auto& [at, partition] : owned_) {
      partition->window.tidy(released);
      if (!counts_ranges) continue;
      partition->has_many_ranges =
          partition->in_flight >= ranges_max && partition->window.range_count() >= ranges_max;
    }
    const auto end = std::partition(gone_.begin(), gone_.end(),
                                    [](const auto& partition) { return partition->in_flight > 0; });
    std::move(end, gone_.end(), std::back_inserter(ended));
    gone_.erase(end, gone_.end());
  });
  const ParallelStatus status = parts_.pool.status();
  in_flight_ = status.in_flight_records;
  handled_ = status.handled_records;
}

// How long until it is tried again.
Result<std::chrono::nanoseconds> ParallelPoller::note_failure(const Error& failure, std::uint32_t attempts) {
  if (failure.fatal()) return failure;
  auto decision = decide_on(parts_.options, {.error = failure, .attempts = attempts});
  if (!decision) return decision.error();
  if (*decision != OnFailure::retry) return failure;
  return backoff_of(parts_.options.backoff, attempts, 0);
}

Result<> ParallelPoller::recover(const Error& failure) {
  auto wait = note_failure(failure, ++poll_failures_);
  if (!wait) return wait.error();
  if (parts_.pool.phase() != ParallelPhase::open) std::this_thread::sleep_for(drain_look_every);
  // The workers go on.
  for (const Time until = std::chrono::steady_clock::now() + *wait;
       std::chrono::steady_clock::now() < until && parts_.pool.phase() == ParallelPhase::open; let_go())
    parts_.pool.sleep(std::min<std::chrono::nanoseconds>(*wait, busy_poll_timeout));
  return {};
}

ParallelPartition& ParallelPoller::own(const TopicPartition& at, FinishedRanges before) {
  auto partition = std::make_unique<ParallelPartition>(
      at,
      OffsetWindow(std::move(before),
                   [](const QueuedRecord& record) { return fingerprint_of(*record.view); }),
      spread(++salt_));
  return *(owned_[at] = std::move(partition));
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
