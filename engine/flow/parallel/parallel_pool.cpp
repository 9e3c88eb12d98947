#include "flow/parallel/parallel_pool.hpp"

#include <algorithm>
#include <utility>

namespace seriatim {
inline namespace v0 {
namespace detail {
namespace {

// Of one key, so that the others get their turn.
constexpr std::size_t records_of_run = 64;
// How often somebody who waits for handlers looks at them.
constexpr std::chrono::milliseconds handlers_look_every{1};
constexpr std::chrono::milliseconds sleep_max = std::chrono::hours(24);  // keeps deadlines in range

}  // namespace

ParallelPool::ParallelPool(const ParallelConsumerOptions& options) : options_(options) {
  slots_.reserve(options.workers);
  while (slots_.size() < options.workers) slots_.push_back(std::make_unique<WorkerSlot>());
}

bool ParallelPool::fill(WorkerSlot& slot) {
  Lock lock(mutex_);
  for (;;) {
    collect();
    slot.refill();
    if (phase() == ParallelPhase::over) return false;
    lanes_.wake(std::chrono::steady_clock::now());
    if (take(slot) || steal(slot)) {
      slot.open();
      share_out();
      return true;
    }
    ++sleepers_;
    const auto due = lanes_.next_due();
    if (due) {
      work_.wait_until(lock, std::min(*due, std::chrono::steady_clock::now() + sleep_max));
    } else {
      work_.wait(lock);
    }
    --sleepers_;
  }
}

// A fair part of what is ready: the other workers are on their way.
bool ParallelPool::take(WorkerSlot& slot) noexcept {
  const std::size_t ready = lanes_.ready_count();
  const std::size_t part = std::min((ready + slots_.size() - 1) / slots_.size(), WorkerSlot::runs_max);
  for (std::size_t i = 0; i < part; ++i) slot.add(lanes_.take(records_of_run));
  return part > 0;
}

bool ParallelPool::steal(WorkerSlot& slot) noexcept {
  for (const auto& other : slots_) {
    if (other.get() == &slot || other->unclaimed() == 0) continue;
    other->give_half(slot);
    if (!slot.is_empty()) return true;
  }
  return false;
}

void ParallelPool::share_out() noexcept {
  if (sleepers_ == 0) return;
  const bool is_any =
      lanes_.ready_count() > 0 ||
      std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->unclaimed() > 1; });
  if (is_any) work_.notify_one();
}

void ParallelPool::report() {
  const std::lock_guard lock(mutex_);
  collect();
  share_out();
}

bool ParallelPool::is_wanted(const ParallelPartition& partition) const noexcept {
  return phase() <= ParallelPhase::draining && !partition.is_dropped.load(std::memory_order_seq_cst);
}

void ParallelPool::collect() noexcept {
  for (const auto& slot : slots_) slot->collect([this](const RunEnd& end) { settle(end); });
  tell_poller();
}

void ParallelPool::tell_poller() noexcept {
  const bool has_space = status_.in_flight_records <= options_.max_in_flight_records / 2 &&
                         status_.in_flight_bytes <= options_.max_in_flight_bytes / 2;
  const bool is_drained = phase() != ParallelPhase::open && status_.in_flight_records == 0;
  if (!wake_ || !((is_space_wanted_ && has_space) || is_drained)) return;
  is_space_wanted_ = false;
  wake_();
}

void ParallelPool::settle(const RunEnd& end) noexcept {
  for (QueuedRecord* record = end.run.first; record != end.rest; record = record->next) {
    record->is_finished = true;
    --record->slice->unfinished;
    ++status_.handled_records;
    leave(*record);
  }
  const RecordRun rest{.lane = end.run.lane, .first = end.rest, .last = end.run.last};
  if (end.fate == RestFate::none) {
    lanes_.give_back(*rest.lane);
    return;
  }
  // A stop does not wait for retries.
  const bool comes_late = end.fate != RestFate::again && phase() == ParallelPhase::draining;
  if (end.fate == RestFate::drop || comes_late || !is_wanted(*end.rest->slice->partition)) {
    drop_rest(rest);
  } else if (end.fate == RestFate::again) {
    lanes_.put_back(rest);
  } else {
    lanes_.put_off(rest, end.due);
  }
}

// With what is behind it: its order would be broken.
void ParallelPool::drop_rest(const RecordRun& rest) noexcept {
  for (const QueuedRecord* record = rest.first; record != nullptr; record = record->next) leave(*record);
  drop_lane(*rest.lane);
}

void ParallelPool::drop_lane(KeyLane& lane) noexcept {
  for (const QueuedRecord* record = lanes_.empty(lane); record != nullptr; record = record->next)
    leave(*record);
  lanes_.give_back(lane);
}

void ParallelPool::leave(const QueuedRecord& record) noexcept {
  --record.slice->partition->in_flight;
  --status_.in_flight_records;
  status_.in_flight_bytes -= record.bytes();
}

void ParallelPool::set_waker(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void ParallelPool::add(ParallelPartition& partition, std::span<QueuedRecord> records) {
  const std::lock_guard lock(mutex_);
  if (phase() != ParallelPhase::open) return;
  for (QueuedRecord& record : records) {
    if (record.is_finished) continue;
    lanes_.add(record);
    ++partition.in_flight;
    ++status_.in_flight_records;
    status_.in_flight_bytes += record.bytes();
  }
  if (sleepers_ > 0) work_.notify_all();
}

bool ParallelPool::is_full() {
  const std::lock_guard lock(mutex_);
  is_space_wanted_ = status_.in_flight_records >= options_.max_in_flight_records ||
                     status_.in_flight_bytes >= options_.max_in_flight_bytes;
  return is_space_wanted_;
}

void ParallelPool::drop(ParallelPartition& partition) {
  partition.is_dropped.store(true, std::memory_order_seq_cst);
  const std::lock_guard lock(mutex_);
  lanes_.wake_where([&](const QueuedRecord& record) { return record.slice->partition == &partition; });
  work_.notify_all();
}

bool ParallelPool::wait_until_unhandled(const ParallelPartition& partition, std::chrono::milliseconds time) {
  const Time until = std::chrono::steady_clock::now() + std::min(time, sleep_max);
  Lock lock(mutex_);
  for (;;) {
    const bool is_handled = std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) {
      return slot->handling.load(std::memory_order_seq_cst) == &partition;
    });
    collect();
    if (!is_handled) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    ended_.wait_for(lock, handlers_look_every);
  }
}

const ParallelPartition* ParallelPool::handled_partition() const noexcept {
  for (const auto& slot : slots_) {
    if (const auto* partition = slot->handling.load(std::memory_order_seq_cst)) return partition;
  }
  return nullptr;
}

void ParallelPool::go_on_to(ParallelPhase phase) noexcept {
  const std::lock_guard lock(mutex_);
  if (phase <= this->phase()) return;
  if (this->phase() == ParallelPhase::open) ended_at_ = std::chrono::steady_clock::now();
  phase_.store(phase, std::memory_order_seq_cst);
  while (KeyLane* const lane = lanes_.take_waiting()) drop_lane(*lane);
  work_.notify_all();
  ended_.notify_all();
  if (wake_) wake_();
}

ParallelPool::Time ParallelPool::ended_at() const {
  const std::lock_guard lock(mutex_);
  return ended_at_;
}

void ParallelPool::sleep(std::chrono::nanoseconds time) {
  Lock lock(mutex_);
  ended_.wait_for(lock, std::min<std::chrono::nanoseconds>(time, sleep_max),
                  [this] { return phase() != ParallelPhase::open; });
}

ParallelStatus ParallelPool::status() {
  const std::lock_guard lock(mutex_);
  collect();
  ParallelStatus status = status_;
  status.waiting_keys = lanes_.waiting_count();
  return status;
}

void ParallelPool::note_spared(std::size_t records) {
  const std::lock_guard lock(mutex_);
  status_.repeats_spared += records;
}

}  // namespace detail
}  // namespace v0
}  // namespace seriatim
